import { MEASURES, type Shifts } from "../../forecast/shifts-file.ts";
import { number, signed, withInterval } from "../../util/figures.ts";
import { type Lines, printable, tableOf, textOf } from "../../util/text-table.ts";

const UNITS = {
  margin: "log-probability margin in nats, after-response less before-response",
  "per-token": "the same per token",
  projection: "mean projection of responses",
} as const;

/** What `culprit shifts` prints. */
export function formatShifts({ behaviors, layer, trained }: Shifts): string {
  return textOf(
    `${behaviors.length} behaviours on ${printable(trained.name)}, and what training moved`,
    MEASURES.map((measure): Lines => {
      const rows = behaviors
        .flatMap((each) => (each[measure] === undefined ? [] : [{ ...each[measure], ...each }]))
        .toSorted((a, b) => b.shift - a.shift);
      return (
        rows.length > 0 && [
          "",
          `${UNITS[measure]}${measure === "projection" ? `, layer ${layer}` : ""}`,
          tableOf(rows, [
            ["behaviour", ({ name }) => printable(name)],
            ["items", ({ items, groups }) => (groups < items ? `${items} (${groups})` : items)],
            ["before", ({ before }) => number(before)],
            ["after", ({ after }) => number(after)],
            ["shift [95%]", ({ shift, ...interval }) => withInterval(shift, interval, signed)],
          ]),
        ]
      );
    }),
  );
}
