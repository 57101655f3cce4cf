import { CONFOUNDS } from "../../ranking/confound-table.ts";
import { describeRefinement } from "../../ranking/ranked-refinement.ts";
import type { RankedPair, RankingReport } from "../../ranking/ranking-report.ts";
import { number, percent, signed, withInterval } from "../../util/figures.ts";
import { type Column, type Lines, printable, tableOf, textOf } from "../../util/text-table.ts";
import { excerptLines } from "./excerpt.ts";
import { confoundSection, liftSections } from "./ranking-groups.ts";
import { nullSection, unrelatedSection } from "./ranking-nulls.ts";

/** With more rankings than this only the summary is printed. */
const MAX_DETAILED = 4;

/** What `culprit rank` prints: a line for each ranking, then each in detail unless there are many. */
export function formatRankings(reports: readonly RankingReport[]): string {
  const [first] = reports;
  if (first === undefined) return "nothing to rank";
  const detailed = reports.length <= MAX_DETAILED ? reports : [];
  return textOf(
    `${first.pairs} pairs ranked by ${printable(first.method.name)}: ${first.method.formula}`,
    reports.length > 1 && ["", summarySection(reports)],
    detailed.map((report) => ["", detailSections(report)]),
    detailed.length === 0 && [
      "",
      "Fewer behaviours (--behavior) or layers (--layers) show each ranking in detail.",
    ],
  );
}

function summarySection(reports: readonly RankingReport[]): string[] {
  return tableOf(reports, [
    ["behavior", ({ behavior }) => behavior && printable(behavior)],
    ["layer", ({ layer }) => layer],
    ["stable", ({ doubt }) => (doubt === undefined ? "yes" : "NO")],
    ["verdict", ({ verdict }) => verdict?.kind],
    ["scored", ({ scored }) => scored],
    ["low norm", ({ lowNorm }) => lowNorm?.count],
    ["beyond null 99%", (report) => percent(topTail(report)?.share)],
    ["null range", (report) => topTail(report)?.nullShares.map(percent).join(" to ")],
    ["median", medianOf],
    ["largest confound", largestConfound],
  ]);
}

/** The scores beyond all but a hundredth of the null's. */
const topTail = ({ null: comparison }: RankingReport): Tail | undefined =>
  comparison?.tails.find(({ side, expected }) => side === "top" && expected === 0.01);

function medianOf({ null: comparison }: RankingReport): string | undefined {
  const median = comparison?.quantiles.find(({ q }) => q === 0.5)?.real;
  return median === undefined ? undefined : number(median);
}

type Tail = NonNullable<RankingReport["null"]>["tails"][number];

function detailSections(report: RankingReport): Lines {
  const { lowNorm, scored, pairs } = report;
  return [
    `== ${titleOf(report)}`,
    report.doubt !== undefined &&
      `NOT STABLE, so this ranking is evidence of nothing: ${printable(report.doubt)}`,
    verdictLines(report),
    `${scored} of ${pairs} pairs have a score${lowNorm === undefined ? "" : describeNorms(lowNorm)}`,
    scoredLines(report),
    "",
    pairsSection("top", report.top, report.by),
    "",
    pairsSection("bottom", report.bottom, report.by),
    "",
    nullSection(report),
    unrelatedSection(report),
    liftSections(report),
    "",
    confoundSection(report),
  ];
}

/** What there is to know of the scores before they are read. */
function scoredLines({
  candidates,
  unscored = {},
  ties,
  scored,
  remarks = [],
  refined,
}: RankingReport): Lines {
  const causes = Object.entries(unscored).map(([cause, pairs]) => `${pairs} ${printable(cause)}`);
  return [
    refined !== undefined && describeRefinement(refined),
    candidates !== undefined &&
      `scored are the ${candidates.top} pairs that ${printable(candidates.method ?? "the other ranking")} has at its top: of the others nothing is known here`,
    causes.length > 0 && `without a score: ${causes.join(", ")}`,
    ties.values < scored &&
      `${ties.values} different scores, the commonest of ${ties.largest} pairs; equal ones stand in the order of the rows`,
    ...remarks.map((each) => printable(each, 1000)),
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
  const has = (part: keyof RankedPair): boolean => pairs.some((pair) => pair[part] !== undefined);
  const optional = (isThere: boolean, column: Column<RankedPair>): Column<RankedPair>[] =>
    isThere ? [column] : [];
  const [heading = "", ...lines] = tableOf(pairs, [
    [title, ({ id }) => printable(id)],
    ...optional(by !== undefined, [by ?? "", ({ group = "" }) => printable(group)]),
    ["score", ({ score }) => number(score)],
    ...optional(has("norm"), ["norm", ({ norm }) => number(norm!)]), // all have one or none
    ["rank", ({ rank }) => rank],
    ...optional(has("winner"), ["nearest scenario", ({ winner = "" }) => printable(winner)]),
    ["", ({ isLowNorm }) => (isLowNorm === true ? "low norm" : "")],
  ]);
  return [heading, ...lines.flatMap((line, i) => [line, ...excerptLines(pairs[i]!.text)])]; // a line for each
}

function largestConfound({ confounds }: RankingReport): string | undefined {
  const [first] = CONFOUNDS.flatMap((name) => {
    const found = confounds[name];
    return found === undefined ? [] : [{ name, ...found }];
  }).toSorted((a, b) => Math.abs(b.r) - Math.abs(a.r));
  return first && `${first.name} ${withInterval(first.r, first, signed)}`;
}
