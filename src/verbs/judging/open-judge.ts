/** @file The judge of verbs that judge new responses, judge and steer: by rules, or by an LLM whose paid answers are kept. */
import { answererName } from "../../endpoint/answer-key.ts";
import { estimateJudging, type JudgingEstimate } from "../../judge/estimate-judging.ts";
import type { Judge, RolloutWithPrompt } from "../../judge/judge.ts";
import type { JudgeUsage } from "../../judge/llm-judge-options.ts";
import { createLlmJudge } from "../../judge/llm-judge.ts";
import type { Rubric } from "../../judge/rubric.ts";
import { createRulesJudge, type RuleSet } from "../../judge/rules-judge.ts";
import type { Verdict } from "../../judge/verdict.ts";
import { ConfigError } from "../../util/errors.ts";
import { withSetting } from "../../util/in-setting.ts";
import type { EndpointSettings } from "../settings/endpoint.ts";
import type { JudgingSettings } from "../settings/judging.ts";
import { describeUsage, type LlmSummary } from "../show/llm-usage.ts";
import { type Contradiction, need, type Work } from "../verb.ts";
import {
  type Asking,
  openAsking,
  priceContradictions,
  pricesOf,
  readAnswers,
} from "./open-asker.ts";

/** A judge, to be closed after judging. */
export interface OpenJudge extends AsyncDisposable {
  readonly judge: Judge<RolloutWithPrompt>;
  /** What an LLM took so far; undefined for rules. */
  readonly summary: () => LlmSummary | undefined;
  /** The same in words. */
  readonly usage: () => readonly string[];
}

/** Rules or a rubric: one of the two. */
export interface JudgeInputs {
  readonly rules: RuleSet | undefined;
  readonly rubric: Rubric | undefined;
}

/** `isForced`: asks again about what has no readable answer. */
interface OpenJudgeOptions extends Pick<Work, "isForced" | "cost" | "owner" | "note"> {
  /** Where paid answers are kept and looked up. */
  readonly answers: string;
  /** What the endpoint's settings are called in errors. */
  readonly setting: string;
}

/** What is wrong between the settings of a judge and what judges: of `given` rules, rubric and labels count. */
export function judgingContradictions(
  { endpoint, threshold, maxCost }: JudgingSettings,
  given: ReadonlySet<string>,
  at: readonly string[] = [],
): readonly Contradiction[] {
  const hasRubric = given.has("rubric");
  const got = ["rules", "labels"].find((way) => given.has(way)) ?? "none";
  const hasPrices = (endpoint?.priceIn ?? endpoint?.priceOut) !== undefined;
  return [
    ...Object.entries({ "endpoint.baseUrl": endpoint, threshold, maxCost }).flatMap(
      ([name, value]) =>
        need(
          hasRubric || value === undefined,
          [...at, ...name.split(".")],
          `expected rubric with it, got ${got}`,
        ),
    ),
    ...need(
      !hasRubric || endpoint !== undefined,
      [...at, "endpoint", "baseUrl"],
      "expected an endpoint to ask, got none",
    ),
    ...priceContradictions(endpoint, [...at, "endpoint"]),
    ...need(
      maxCost === undefined || hasPrices,
      [...at, "maxCost"],
      "expected priceIn and priceOut beside it, got neither",
    ),
  ];
}

/** Opens the judge that the inputs name. */
export async function openJudge(
  { rules, rubric }: JudgeInputs,
  settings: JudgingSettings,
  options: OpenJudgeOptions,
): Promise<OpenJudge> {
  if (rubric !== undefined) return openLlmJudge(rubric, settings, options);
  if (rules === undefined) throw new Error("internal: neither rules nor a rubric");
  return {
    judge: createRulesJudge(rules),
    summary: () => undefined,
    usage: () => [],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function openLlmJudge(
  given: Rubric,
  settings: JudgingSettings,
  options: OpenJudgeOptions,
): Promise<OpenJudge> {
  const { maxCost, temperature, structured } = settings;
  const endpoint = settings.endpoint!; // judgingContradictions
  const rubric = withThreshold(given, settings.threshold);
  const asking = await openAsking(endpoint, options.answers, options);
  const { asker, store, prices } = asking;
  const { setting, isForced } = options;
  const llm = createLlmJudge({
    rubric,
    asker,
    store,
    prices,
    maxCost,
    temperature,
    structured,
    isAnew: isForced,
  });
  const summary = (): LlmSummary => summaryOf(asking, llm.usage, endpoint);
  return {
    judge: { ...llm, judge: (rollouts, job) => naming(llm.judge(rollouts, job), setting) },
    summary,
    usage: () => describeUsage(summary()),
    [Symbol.asyncDispose]: () => asking[Symbol.asyncDispose](),
  };
}

/** What asking came to so far. */
export function summaryOf(
  { asker, store, prices }: Pick<Asking, "asker" | "store" | "prices">,
  usage: Readonly<JudgeUsage>,
  { maxMissing }: Pick<EndpointSettings, "maxMissing">,
): LlmSummary {
  const { requests, answers, faults, said, beyondBudget } = asker.counts;
  const { answers: _a, isStructured: _s, cost, ...rest } = usage;
  return {
    requests,
    answered: answers,
    faults: Object.fromEntries(faults),
    said: Object.fromEntries(said),
    maxMissing,
    beyondBudget,
    ...rest,
    cacheEstimated: store.totals.estimated,
    cost: prices && cost,
    cacheCost: prices && store.totals.cost,
  };
}

/** Errors of the endpoint say which settings name it. */
async function* naming(verdicts: AsyncIterable<Verdict>, setting: string): AsyncGenerator<Verdict> {
  try {
    yield* verdicts;
  } catch (error) {
    throw withSetting(setting, error);
  }
}

/** What judging by a rubric would take, asking nothing. */
export async function estimateByRubric(
  rollouts: Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>,
  rubric: Rubric,
  settings: JudgingSettings,
  { answers, isForced }: { readonly answers: string | undefined; readonly isForced: boolean },
): Promise<JudgingEstimate> {
  const endpoint = settings.endpoint!; // judgingContradictions
  await using store = await readAnswers(endpoint, answers);
  return await estimateJudging(rollouts, {
    rubric: withThreshold(rubric, settings.threshold),
    endpoint: answererName(endpoint),
    temperature: settings.temperature,
    store,
    prices: pricesOf(endpoint),
    isAnew: isForced,
  });
}

/** The rubric with another threshold. Throws ConfigError where it has none, or one that is no score. */
export function withThreshold(rubric: Rubric, threshold: number | undefined): Rubric {
  if (threshold === undefined) return rubric;
  const { answer } = rubric;
  if (answer.kind !== "score") {
    throw new ConfigError("threshold: expected none, as the rubric has labels");
  }
  const { low, high } = answer;
  if (threshold <= low || threshold > high) {
    throw new ConfigError(
      `threshold: expected a number above ${low} and at most ${high}, got ${threshold}`,
    );
  }
  return { ...rubric, answer: { ...answer, threshold } };
}
