import type { AskCounts } from "../../endpoint/asker.ts";
import { describeCounts } from "../../endpoint/describe-counts.ts";
import { type CulpritError, RuntimeError } from "../../util/errors.ts";
import { approximately, moneyAmount, percent } from "../../util/figures.ts";
import { linesOf } from "../../util/text-table.ts";

/** What asking took. */
export interface LlmSummary {
  readonly requests: number;
  readonly answered: number;
  readonly faults: Readonly<Record<string, number>>;
  /** What the endpoint said when a request first failed, by cause. */
  readonly said: Readonly<Record<string, string>>;
  /** Texts that the judge was to judge, those it did not, and the share of them that may be so. */
  readonly wanted: number;
  readonly unanswered: number;
  readonly maxMissing: number;
  /** Requests that no longer fitted the budget: not sent. */
  readonly beyondBudget: number;
  readonly cached: number;
  /** Verdicts that are missing because their answers cannot be read. */
  readonly unreadable: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Answers of which the endpoint did not say the tokens, in this run and in the cache: these are estimated, and what they cost. */
  readonly estimated: number;
  readonly cacheEstimated: number;
  /** Of this run, and of everything in the cache; undefined without prices. */
  readonly cost: number | undefined;
  readonly cacheCost: number | undefined;
}

/** The error of a judge whose budget did not reach `left`; `setting` has the budget. */
export const budgetUsedUp = (left: string, setting = "maxCost"): RuntimeError =>
  new RuntimeError(`${setting}: used up, ${left} not judged`, {
    hint: "Raise maxCost and give the same command: every answer so far is kept and not asked again.",
  });

/** What asking would take. */
export function formatAsking({
  promptTokens,
  completionTokens,
  cost,
}: Pick<LlmSummary, "promptTokens" | "completionTokens" | "cost">): string[] {
  return [
    `about ${promptTokens} prompt tokens, at most ${completionTokens} answer tokens`,
    cost === undefined
      ? "money: give --price-in and --price-out"
      : `about ${moneyAmount(cost)} at most, repeated requests aside`,
  ];
}

/** Faults and words as describeCounts takes them. */
export const mapsOf = ({
  faults,
  said,
}: Pick<LlmSummary, "faults" | "said">): Pick<AskCounts, "faults" | "said"> => ({
  faults: new Map(Object.entries(faults)),
  said: new Map(Object.entries(said)),
});

/** The error where an endpoint gave too few answers, `missing` of `wanted`; `setting` has their share. Undefined where it gave enough. */
export function tooManyMissing(
  {
    missing,
    wanted,
    maxMissing,
  }: {
    readonly missing: number;
    readonly wanted: number;
    readonly maxMissing: number;
  },
  setting: string,
  hint: string,
): CulpritError | undefined {
  if (missing <= maxMissing * wanted) return undefined;
  return new RuntimeError(
    `${setting}: expected at most ${percent(maxMissing)} of the answers missing, got ${missing} of ${wanted}`,
    { hint },
  );
}

/** The same for a judge; `setting` is what its share is called. */
export function tooManyUnjudged(
  llm: LlmSummary | undefined,
  setting: string,
): CulpritError | undefined {
  if (llm === undefined) return undefined;
  return tooManyMissing(
    { ...llm, missing: llm.unanswered },
    setting,
    "See the causes above. The same command asks again for what got no answer, and --force for answers that cannot be read; a larger share takes the verdicts as they are.",
  );
}

/** What judging took, in words. */
export function describeUsage(summary: LlmSummary): string[] {
  const { answered, cached, unreadable } = summary;
  return linesOf([
    describeCounts({ ...summary, answers: answered, ...mapsOf(summary) }),
    `${cached} verdicts needed no request`,
    unreadable > 0 &&
      `${unreadable} have only answers that cannot be read: --force asks for these again`,
    describeTokens(summary),
  ]);
}

function describeTokens(summary: LlmSummary): string {
  const { promptTokens, completionTokens, estimated, cacheEstimated, cost, cacheCost } = summary;
  const about = approximately(estimated);
  const tokens = `${about}${promptTokens} prompt and ${about}${completionTokens} answer tokens`;
  const money =
    cost === undefined
      ? ""
      : `: ${about}${moneyAmount(cost)}; the whole cache has cost ${approximately(cacheEstimated)}${moneyAmount(cacheCost!)}`;
  const why =
    estimated === 0
      ? ""
      : ` (≈: estimated for ${estimated} answers, of which the endpoint did not say the tokens)`;
  return `${tokens}${money}${why}`;
}
