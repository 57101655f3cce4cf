/** @file What a ranking is held to: null directions, and unrelated behaviours. */
import type { NullComparison } from "../../attribution/null-comparison.ts";
import type { RankingReport } from "../../ranking/ranking-report.ts";
import { number, percent, signed } from "../../util/figures.ts";
import { type Column, printable, tableOf } from "../../util/text-table.ts";

const BAR_WIDTH = 30;

/** Histogram and tails of the scores beside those of the null directions. */
export function nullSection(report: RankingReport): string[] {
  const comparison = report.null;
  if (comparison === undefined) {
    const why =
      report.method.traits.null === "none"
        ? `${report.method.name} has none.`
        : "the behaviour file has no null directions, or --null-directions is 0.";
    return [`No null to compare with: ${why}`];
  }
  const { histogram, directions } = comparison;
  const nulls =
    report.method.traits.null === "banks"
      ? "null banks (the bank with its mean turned into a null direction, and random signs for what its vectors have of their own)"
      : "null directions (what is left of the behaviour's vector under random signs for each prompt)";
  const total = (counts: readonly number[]): number => counts.reduce((sum, each) => sum + each, 0);
  const real = histogram.real.map((count) => count / total(histogram.real));
  const none = histogram.null.map((count) => count / total(histogram.null));
  const largest = Math.max(...real, ...none);
  const bar = (share: number): string => "█".repeat(Math.round((share / largest) * BAR_WIDTH));
  return [
    `scores against ${directions} ${nulls}, same pairs`,
    ...tableOf(real, [
      ["from", (_, i) => number(histogram.edges[i]!)],
      ["pairs", percent],
      ["null", (_, i) => percent(none[i])],
      ["", (share, i) => barPair(bar(share), bar(none[i]!))],
    ]),
    "",
    ...tableOf(comparison.tails, [
      ["beyond", ({ side, expected }) => `null ${side} ${percent(expected)}`],
      ["score", ({ threshold }) => number(threshold)],
      ["pairs", ({ share }) => percent(share)],
      ["expected", ({ expected }) => percent(expected)],
      ["excess", ({ excess }) => `${excess >= 0 ? "+" : ""}${percent(excess)}`],
      ["single nulls", ({ nullShares }) => nullShares.map(percent).join(" to ")],
    ]),
  ];
}

const barPair = (real: string, none: string): string =>
  `${real.padEnd(BAR_WIDTH)} ${"░".repeat(none.length)}`.padEnd(2 * BAR_WIDTH + 1);

/** How far unrelated behaviours rank the same pairs in the same way; nothing without them. */
export function unrelatedSection({ unrelated }: RankingReport): string[] {
  if (unrelated.length === 0) return [];
  const sizes = unrelated[0]!.overlaps.map(({ k }) => k);
  return [
    "",
    ...tableOf(unrelated, [
      ["unrelated behaviour", ({ behavior }) => printable(behavior)],
      ["stable", ({ doubt }) => (doubt === undefined ? "yes" : "NO")],
      ["cosine", ({ cosine }) => signed(cosine)],
      ["Spearman of scores", ({ correlation }) => correlation && signed(correlation.r)],
      ["its top tail", ({ signal }) => signal && clearestTail(signal)],
      ...sizes.map((k, i): Column<(typeof unrelated)[number]> => [
        `both in top ${k}`,
        ({ overlaps }) => `${overlaps[i]!.shared} (chance ${overlaps[i]!.expected.toFixed(1)})`,
      ]),
    ]),
  ];
}

/** The tail in which most stands out of the null's shape. */
function clearestTail({ tails }: NullComparison["signal"]): string | undefined {
  const [first] = tails.toSorted((a, b) => b.excess - a.excess);
  return first && `${percent(first.share)} where ${percent(first.expected)} is expected`;
}
