import { type ReactNode, useId, useState } from "react";

import { useSwitch } from "../address.ts";
import { Table } from "../components.tsx";
import { count } from "../format.ts";
import { usePalette } from "../theme.tsx";
import { fileName, saveCsv, savePng, saveSvg } from "./save.ts";

/** What stands around every picture: its title, how to read it, and the buttons for its data and for itself. */
export function ChartFrame({
  title,
  name = title,
  about,
  head,
  cells,
  most = Number.POSITIVE_INFINITY,
  picture,
  children,
}: {
  readonly title: string;
  /** Where the title changes with what is chosen: a name that stays, by which the address says that the table is open. */
  readonly name?: string | undefined;
  readonly about?: ReactNode;
  /** The columns of its data. */
  readonly head: readonly string[];
  /** Rows of its data, made when they are asked for. */
  readonly cells: () => readonly (readonly (string | number | undefined)[])[];
  /** Rows that the table shows. */
  readonly most?: number | undefined;
  /** Undefined until it is drawn. */
  readonly picture: (() => SVGSVGElement) | undefined;
  readonly children: ReactNode;
}): ReactNode {
  const { paper } = usePalette();
  const [fault, setFault] = useState("");
  const [isTable, switchTable] = useSwitch("table", fileName(name));
  const id = useId();
  const button = (label: string, keep: typeof saveSvg | typeof savePng): ReactNode => (
    <button
      type="button"
      // Before it is drawn there is no picture, and a click would be lost.
      disabled={picture === undefined}
      onClick={() => {
        const save = async (): Promise<void> => keep(title, picture!(), paper); // it is drawn
        save().then(
          () => setFault(""),
          () => setFault(`The ${label} could not be made; try again, or save the other.`),
        );
      }}
    >
      {label}
    </button>
  );
  const rows = isTable ? cells() : [];
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption>
        <strong id={id}>{title}</strong>
        {about !== undefined && <span> {about}</span>}
      </figcaption>
      {children}
      <div className="tools">
        <button type="button" aria-expanded={isTable} onClick={switchTable}>
          Table
        </button>
        <button type="button" onClick={() => saveCsv(title, head, cells())}>
          CSV
        </button>
        {button("SVG", saveSvg)}
        {button("PNG", savePng)}
      </div>
      {fault !== "" && (
        <p role="alert" className="fault">
          {fault}
        </p>
      )}
      {isTable && (
        <Table
          caption={
            rows.length > most
              ? `${title}: the first ${count(most)} of ${count(rows.length)}, which the CSV has`
              : title
          }
          head={head}
          rows={rows.slice(0, most)}
        />
      )}
    </figure>
  );
}
