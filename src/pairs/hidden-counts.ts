import type { NamedCount } from "./audit-report.ts";
import { createNameCounter } from "./name-counter.ts";

/** What rows say and a template that looks at it shows in part or not at all, counted. */
export interface HiddenCounts {
  /** Pairs with any of it. */
  readonly pairs: number;
  readonly names: readonly NamedCount[];
}

/** Counts what single pairs hide; see RenderedExample.hidden. */
export function createHiddenCounter(): {
  add(hidden: readonly string[] | undefined): void;
  report(): HiddenCounts;
} {
  const names = createNameCounter();
  let pairs = 0;
  return {
    add(hidden = []) {
      if (hidden.length === 0) return;
      pairs++;
      names.add(hidden);
    },
    report: () => ({ pairs, names: names.report() }),
  };
}

/** A sentence where a template shows less than the rows say; none where it shows all. */
export function describeHidden({ pairs, names }: HiddenCounts, of: number): readonly string[] {
  if (pairs === 0) return [];
  const list = names.map((each) => `${each.name} ${each.pairs}`).join(", ");
  return [
    `In ${pairs} of ${of} pairs the chat template shows only a part of what the row says, or nothing of it (${list} pairs): the rest is in no token. transformers and TRL render them so too; a chat_template.jinja of the folder's own can show it.`,
  ];
}
