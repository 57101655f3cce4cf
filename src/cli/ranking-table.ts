import {
  CONFOUNDS,
  SCORER_TRAITS,
  type LiftTable,
  type NullComparison,
  type RankedPair,
  type RankingReport,
} from "../index.ts";
import { percent } from "./figures.ts";
import { printable, textTable } from "./text-table.ts";

/** With more rankings than this only the summary is printed. */
const MAX_DETAILED = 4;
/** Groups of one lift table, at most; the JSON output has all of them. */
const MAX_GROUPS = 15;
const BAR_WIDTH = 30;

/** What `culprit rank` prints: a line for each ranking, then each in detail unless there are many. */
export function formatRankings(reports: readonly RankingReport[]): string {
  const [first] = reports;
  if (first === undefined) return "nothing to rank";
  const detailed = reports.length <= MAX_DETAILED ? reports : [];
  return [
    `${first.pairs} pairs ranked by ${first.scorer}: ${SCORER_TRAITS[first.scorer].meaning}; higher = chosen minus rejected points more along after minus before`,
    ...(reports.length > 1 ? ["", ...summarySection(reports)] : []),
    ...detailed.flatMap((report) => ["", ...detailSections(report)]),
    ...(detailed.length === 0
      ? ["", "Fewer behaviours (--behavior) or layers (--layers) show each ranking in detail."]
      : []),
  ].join("\n");
}

function summarySection(reports: readonly RankingReport[]): string[] {
  return textTable([
    [
      "behavior",
      "layer",
      "stable",
      "verdict",
      "scored",
      "low norm",
      "beyond null 99%",
      "null range",
      "median",
      "largest confound",
    ],
    ...reports.map((report) => {
      const tail = report.null?.tails.find(
        ({ side, expected }) => side === "top" && expected === 0.01,
      );
      const median = report.null?.quantiles.find(({ q }) => q === 0.5)?.real;
      return [
        printable(report.behavior),
        `${report.layer}`,
        report.doubt === undefined ? "yes" : "NO",
        report.verdict?.kind ?? "-",
        `${report.scored}`,
        `${report.lowNorm.count}`,
        tail === undefined ? "-" : percent(tail.share),
        tail === undefined ? "-" : tail.nullShares.map(percent).join(" to "),
        median === undefined ? "-" : number(median),
        largestConfound(report),
      ];
    }),
  ]);
}

function detailSections(report: RankingReport): string[] {
  const { lowNorm, scored, pairs } = report;
  return [
    `== behavior "${printable(report.behavior)}", layer ${report.layer}`,
    ...(report.doubt === undefined
      ? []
      : [`NOT STABLE, so this ranking is evidence of nothing: ${printable(report.doubt)}`]),
    ...verdictLines(report),
    `${scored} of ${pairs} pairs have a score${lowNorm.zero === 0 ? "" : `, ${lowNorm.zero} have a vector of length zero`}; ` +
      `${lowNorm.count} are marked low norm (|v_d| below ${number(lowNorm.threshold)}, median ${number(lowNorm.median)})`,
    "",
    ...pairsSection("top", report.top, report.by),
    "",
    ...pairsSection("bottom", report.bottom, report.by),
    "",
    ...nullSection(report),
    ...unrelatedSection(report),
    ...liftSections(report),
    "",
    ...confoundSection(report),
  ];
}

function verdictLines({ verdict, scorer, null: comparison }: RankingReport): string[] {
  if (verdict === undefined) {
    const why =
      comparison === undefined
        ? "there is no null to compare with"
        : `the largest of many cosines (${scorer}) grows with the spread of the pairs as with a push of all; --scorer cosine has one`;
    return [`verdict: none, ${why}`];
  }
  const { kind, reason, meaning, excessPairs, heldTo } = verdict;
  return [
    `verdict: ${kind} (${printable(reason, 400)})${excessPairs === 0 ? "" : `; at least about ${excessPairs} pairs stand out`}`,
    `  ${meaning}`,
    heldTo.length === 0
      ? "  Held to sign flips only; --null-behavior holds it to an unrelated behaviour as well."
      : `  Held to sign flips and to ${heldTo.map((name) => `"${printable(name)}"`).join(", ")}.`,
  ];
}

function unrelatedSection({ unrelated }: RankingReport): string[] {
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

function pairsSection(
  title: string,
  pairs: readonly RankedPair[],
  by: string | undefined,
): string[] {
  const hasWinner = pairs.some(({ winner }) => winner !== undefined);
  const heading = [title, ...(by === undefined ? [] : [by]), "score", "norm", "rank"];
  return textTable([
    [...heading, ...(hasWinner ? ["nearest scenario"] : []), ""],
    ...pairs.map((pair) => [
      printable(pair.id),
      ...(by === undefined ? [] : [printable(pair.group ?? "")]),
      number(pair.score),
      number(pair.norm),
      `${pair.rank}`,
      ...(hasWinner ? [printable(pair.winner ?? "")] : []),
      pair.isLowNorm ? "low norm" : "",
    ]),
  ]);
}

function nullSection(report: RankingReport): string[] {
  const comparison = report.null;
  if (comparison === undefined) {
    return ["No null to compare with: the behaviour file has no null directions, or --null is 0."];
  }
  const { histogram, directions } = comparison;
  const nulls = SCORER_TRAITS[report.scorer].usesBank
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

function liftSections({ lifts, by }: RankingReport): string[] {
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

function confoundSection({ confounds }: RankingReport): string[] {
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

function largestConfound({ confounds }: RankingReport): string {
  const [first] = CONFOUNDS.flatMap((name) => {
    const found = confounds[name];
    return found === undefined ? [] : [{ name, ...found }];
  }).toSorted((a, b) => Math.abs(b.r) - Math.abs(a.r));
  return first === undefined
    ? "-"
    : `${first.name} ${signed(first.r)} [${signed(first.low)}, ${signed(first.high)}]`;
}

function number(value: number): string {
  return Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : value.toPrecision(3);
}

function signed(value: number): string {
  return `${value >= 0 ? "+" : ""}${value.toFixed(3)}`;
}
