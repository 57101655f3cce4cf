import type { NullComparison } from "../../attribution/null-comparison.ts";
/** @file What a ranking is held to: null directions, and unrelated behaviours. */
import type { RankingReport } from "../../ranking/ranking-report.ts";
import { number, percent, signed } from "../../util/figures.ts";
import { printable, textTable } from "../../util/text-table.ts";

const BAR_WIDTH = 30;

/** Histogram and tails of the scores beside those of the null directions. */
export function nullSection(report: RankingReport): string[] {
  const comparison = report.null;
  if (comparison === undefined) {
    return report.method.traits.null === "none"
      ? [`No null to compare with: ${report.method.name} has none.`]
      : [
          "No null to compare with: the behaviour file has no null directions, or --null-directions is 0.",
        ];
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
    ...textTable([
      ["from", "pairs", "null", ""],
      ...real.map((share, i) => [
        number(histogram.edges[i]!),
        percent(share),
        percent(none[i]),
        `${bar(share).padEnd(BAR_WIDTH)} ${"░".repeat(bar(none[i]!).length)}`.padEnd(
          2 * BAR_WIDTH + 1,
        ),
      ]),
    ]),
    "",
    ...textTable([
      ["beyond", "score", "pairs", "expected", "excess", "single nulls"],
      ...comparison.tails.map((tail) => [
        `null ${tail.side} ${percent(tail.expected)}`,
        number(tail.threshold),
        percent(tail.share),
        percent(tail.expected),
        `${tail.excess >= 0 ? "+" : ""}${percent(tail.excess)}`,
        tail.nullShares.map(percent).join(" to "),
      ]),
    ]),
  ];
}

/** How far unrelated behaviours rank the same pairs in the same way; nothing without them. */
export function unrelatedSection({ unrelated }: RankingReport): string[] {
  if (unrelated.length === 0) return [];
  const sizes = unrelated[0]!.overlaps.map(({ k }) => k);
  return [
    "",
    ...textTable([
      [
        "unrelated behaviour",
        "stable",
        "cosine",
        "Spearman of scores",
        "its top tail",
        ...sizes.map((k) => `both in top ${k}`),
      ],
      ...unrelated.map(({ behavior, doubt, cosine, correlation, overlaps, signal }) => [
        printable(behavior),
        doubt === undefined ? "yes" : "NO",
        signed(cosine),
        correlation === undefined ? "-" : signed(correlation.r),
        signal === undefined ? "-" : clearestTail(signal),
        ...overlaps.map(({ shared, expected }) => `${shared} (chance ${expected.toFixed(1)})`),
      ]),
    ]),
  ];
}

/** The tail in which most stands out of the null's shape. */
function clearestTail({ tails }: NullComparison["signal"]): string {
  const [first] = tails.toSorted((a, b) => b.excess - a.excess);
  return first === undefined
    ? "-"
    : `${percent(first.share)} where ${percent(first.expected)} is expected`;
}
