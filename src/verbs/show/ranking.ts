import { CONFOUNDS } from "../../ranking/confound-table.ts";
import type { RankedPair, RankingReport } from "../../ranking/ranking-report.ts";
import { number, percent, signed } from "../../util/figures.ts";
import { printable, textTable } from "../../util/text-table.ts";
import { confoundSection, liftSections } from "./ranking-groups.ts";
import { nullSection, unrelatedSection } from "./ranking-nulls.ts";

/** With more rankings than this only the summary is printed. */
const MAX_DETAILED = 4;

/** What `culprit rank` prints: a line for each ranking, then each in detail unless there are many. */
export function formatRankings(reports: readonly RankingReport[]): string {
  const [first] = reports;
  if (first === undefined) return "nothing to rank";
  const detailed = reports.length <= MAX_DETAILED ? reports : [];
  return [
    `${first.pairs} pairs ranked by ${printable(first.method.name)}: ${first.method.formula}`,
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
        printable(report.behavior ?? "-"),
        `${report.layer ?? "-"}`,
        report.doubt === undefined ? "yes" : "NO",
        report.verdict?.kind ?? "-",
        `${report.scored}`,
        `${report.lowNorm?.count ?? "-"}`,
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
    `== ${titleOf(report)}`,
    ...(report.doubt === undefined
      ? []
      : [`NOT STABLE, so this ranking is evidence of nothing: ${printable(report.doubt)}`]),
    ...verdictLines(report),
    `${scored} of ${pairs} pairs have a score${lowNorm === undefined ? "" : describeNorms(lowNorm)}`,
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

function titleOf({ behavior, layer, method }: RankingReport): string {
  if (behavior === undefined) return `method ${printable(method.name)}`;
  return `behavior "${printable(behavior)}"${layer === undefined ? "" : `, layer ${layer}`}`;
}

function describeNorms({
  zero,
  count,
  threshold,
  median,
}: NonNullable<RankingReport["lowNorm"]>): string {
  const without = zero === 0 ? "" : `, ${zero} have a vector of length zero`;
  return `${without}; ${count} are marked low norm (|v_d| below ${number(threshold)}, median ${number(median)})`;
}

function verdictLines({ verdict, method, null: comparison }: RankingReport): string[] {
  if (verdict === undefined) {
    const { noVerdict = "its scores have none" } = method;
    return [
      `verdict: none, ${comparison === undefined ? "there is no null to compare with" : noVerdict}`,
    ];
  }
  const { kind, reason, meaning, excessPairs, heldTo, notHeldTo } = verdict;
  return [
    `verdict: ${kind} (${printable(reason, 400)})${excessPairs === 0 ? "" : `; at least about ${excessPairs} pairs stand out`}`,
    `  ${meaning}`,
    heldTo.length === 0 && notHeldTo.length === 0
      ? "  Held to sign flips only; --null-behavior holds it to an unrelated behaviour as well."
      : heldTo.length === 0
        ? "  Held to sign flips only."
        : `  Held to sign flips and to ${heldTo.map((name) => `"${printable(name)}"`).join(", ")}.`,
    ...notHeldTo.map((each) => `  Not held to "${printable(each.behavior)}": ${each.reason}.`),
  ];
}

function pairsSection(
  title: string,
  pairs: readonly RankedPair[],
  by: string | undefined,
): string[] {
  const hasWinner = pairs.some(({ winner }) => winner !== undefined);
  const hasNorm = pairs.some(({ norm }) => norm !== undefined);
  const norm = hasNorm ? ["norm"] : [];
  const heading = [title, ...(by === undefined ? [] : [by]), "score", ...norm, "rank"];
  return textTable([
    [...heading, ...(hasWinner ? ["nearest scenario"] : []), ""],
    ...pairs.map((pair) => [
      printable(pair.id),
      ...(by === undefined ? [] : [printable(pair.group ?? "")]),
      number(pair.score),
      ...(pair.norm === undefined ? [] : [number(pair.norm)]),
      `${pair.rank}`,
      ...(hasWinner ? [printable(pair.winner ?? "")] : []),
      pair.isLowNorm === true ? "low norm" : "",
    ]),
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
