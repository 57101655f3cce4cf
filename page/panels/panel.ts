import type { ReactNode } from "react";

import type { PartName, PartValues, ReportSource } from "../../src/report/report-source.ts";

/** What a panel is drawn with: the parts that it asked for, as far as the run has them. */
export interface PanelView<N extends PartName> {
  readonly parts: { readonly [P in N]: PartValues[P] | undefined };
  readonly source: ReportSource;
  /** What the address says behind the panel's name. */
  readonly path: readonly string[];
  readonly params: Readonly<Record<string, string>>;
}

/** A page of the report: one file here and one line in PANELS. Its parts are typed by the artefacts that they are read from. */
export interface Panel<N extends PartName = PartName> {
  /** In the address. */
  readonly id: string;
  readonly title: string;
  readonly parts: readonly N[];
  /** False for one that is not in the menu: it is reached by links. Default true. */
  readonly isListed?:
    | ((overview: PartValues["overview"] | undefined, source: ReportSource) => boolean)
    | undefined;
  readonly View: (view: PanelView<N>) => ReactNode;
}

/** Types a panel by the parts that it asks for. */
export function definePanel<const N extends PartName>(panel: Panel<N>): Panel {
  return panel;
}
