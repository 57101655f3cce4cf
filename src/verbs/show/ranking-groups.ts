/** @file What else the top of a ranking has in common: sources and confounds. */
import { CONFOUNDS } from "../../ranking/confound-table.ts";
import type { LiftTable } from "../../ranking/lift-table.ts";
import type { RankingReport } from "../../ranking/ranking-report.ts";
import { percent, signed } from "../../util/figures.ts";
import { headOf, printable, tableOf } from "../../util/text-table.ts";

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
  return headOf(rows, MAX_GROUPS, (shown) =>
    tableOf(shown, [
      [`${by} in the top ${k} of ${n}`, ({ group }) => printable(group)],
      ["top", ({ inTop }) => inTop],
      ["all", ({ inAll }) => inAll],
      ["share of top", ({ shareOfTop }) => percent(shareOfTop)],
      ["of all", ({ shareOfAll }) => percent(shareOfAll)],
      ["lift", ({ lift }) => lift.toFixed(2)],
      ["[95%]", ({ low, high }) => `[${low.toFixed(2)}, ${high.toFixed(2)}]`],
    ]),
  );
}

/** Properties of the pairs that the score may follow instead of the behaviour. */
export function confoundSection({ confounds }: RankingReport): string[] {
  return tableOf(
    CONFOUNDS.map((name) => ({ name, found: confounds[name] })),
    [
      ["the score follows", ({ name }) => name],
      ["Spearman", ({ found }) => found && signed(found.r)],
      ["[95%]", ({ found }) => found && `[${signed(found.low)}, ${signed(found.high)}]`],
    ],
  );
}
