/** @file What else the top of a ranking has in common: sources and confounds. */
import { CONFOUNDS } from "../../ranking/confound-table.ts";
import type { LiftTable } from "../../ranking/lift-table.ts";
import type { RankingReport } from "../../ranking/ranking-report.ts";
import { percent, signed } from "../../util/figures.ts";
import { printable, textTable } from "../../util/text-table.ts";

/** Groups of one lift table, at most; the JSON output has all of them. */
const MAX_GROUPS = 15;

/** Where the pairs of the top come from, a table for each size of the top. */
export function liftSections({ lifts, by }: RankingReport): string[] {
  if (by === undefined) return ["", "No column tells where the pairs come from; --by names one."];
  const groups = lifts[0]?.rows ?? [];
  if (groups.length === 1) return ["", `${by}: every pair has "${printable(groups[0]!.group)}".`];
  return lifts.flatMap((lift) => ["", ...liftSection(lift, printable(by))]);
}

function liftSection({ k, n, rows }: LiftTable, by: string): string[] {
  const shown = rows.slice(0, MAX_GROUPS);
  return [
    ...textTable([
      [`${by} in the top ${k} of ${n}`, "top", "all", "share of top", "of all", "lift", "[95%]"],
      ...shown.map((row) => [
        printable(row.group),
        `${row.inTop}`,
        `${row.inAll}`,
        percent(row.shareOfTop),
        percent(row.shareOfAll),
        row.lift.toFixed(2),
        `[${row.low.toFixed(2)}, ${row.high.toFixed(2)}]`,
      ]),
    ]),
    ...(rows.length > shown.length ? [`… and ${rows.length - shown.length} more`] : []),
  ];
}

/** Properties of the pairs that the score may follow instead of the behaviour. */
export function confoundSection({ confounds }: RankingReport): string[] {
  return textTable([
    ["the score follows", "Spearman", "[95%]"],
    ...CONFOUNDS.map((name) => {
      const found = confounds[name];
      return found === undefined
        ? [name, "-", "-"]
        : [name, signed(found.r), `[${signed(found.low)}, ${signed(found.high)}]`];
    }),
  ]);
}
