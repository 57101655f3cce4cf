import type { ScoreReport } from "./audit-report.ts";
import type { PreferencePair } from "./preference-pair.ts";
import type { SideColumns } from "./shapes/side-columns.ts";

/** Compares the numbers that the data give either side (`score_chosen` and `score_rejected`). */
export function createScoreCounter(sides: readonly SideColumns[]): {
  add(pair: PreferencePair): void;
  report(): ScoreReport[];
} {
  const rows = sides.map((columns) => ({ ...columns, pairs: 0, ties: 0, lower: 0 }));
  return {
    add({ columns }) {
      for (const row of rows) {
        const [chosen, rejected] = [columns[row.chosen], columns[row.rejected]];
        if (typeof chosen !== "number" || typeof rejected !== "number") continue;
        row.pairs++;
        if (chosen === rejected) row.ties++;
        if (chosen < rejected) row.lower++;
      }
    },
    report: () => rows.filter(({ pairs }) => pairs > 0),
  };
}
