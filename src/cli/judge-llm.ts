import { existsSync } from "node:fs";

import {
  type AnswerStore,
  type AnswerStoreOptions,
  openAnswerStore,
} from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import { costOf, type Prices } from "../endpoint/money.ts";
import { estimateJudging, type JudgingEstimate } from "../judge/estimate-judging.ts";
import { STRUCTURED_MODES, type StructuredMode } from "../judge/llm-judge-options.ts";
import { createLlmJudge, type LlmJudge } from "../judge/llm-judge.ts";
import { readRubric, type Rubric } from "../judge/rubric.ts";
import { readRollouts } from "../rollouts/rollouts.ts";
import { ConfigError } from "../util/errors.ts";
import { moneyAmount } from "../util/figures.ts";
import type { LlmSummary } from "../verbs/show/llm-usage.ts";
import type { CommandContext, FlagSpec, ParsedArguments } from "./command.ts";
import { ENDPOINT_FLAGS, readAsker } from "./endpoint-flags.ts";

/** Flags of `culprit judge --llm`. */
export const LLM_JUDGE_FLAGS = {
  ...ENDPOINT_FLAGS,
  temperature: { type: "string", value: "T", describe: "Of the judge's answers. Default: 0." },
  structured: {
    type: "string",
    value: STRUCTURED_MODES.join("|"),
    describe:
      "Whether to ask for answers by a JSON schema. Default: auto, while the endpoint takes it.",
  },
  cache: {
    type: "string",
    value: "FILE",
    describe: "Where paid answers are kept and looked up. Default: OUT.cache.jsonl.",
  },
  "price-in": {
    type: "string",
    value: "MONEY",
    describe: "For a million prompt tokens. Default: no prices.",
  },
  "price-out": {
    type: "string",
    value: "MONEY",
    describe: "For a million answer tokens. Default: no prices.",
  },
  "max-cost": {
    type: "string",
    value: "MONEY",
    describe:
      'What all answers in the cache together may cost; rollouts beyond are missing: "budget". Default: no limit.',
  },
  "dry-run": {
    type: "boolean",
    describe: "Ask nothing: estimate requests, tokens and money.",
  },
} as const satisfies Record<string, FlagSpec>;

/** A judge with what it writes to, to be closed after judging. */
export interface OpenLlmJudge extends AsyncDisposable {
  readonly judge: LlmJudge;
  /** What it took, for `--json`. */
  summary(): LlmSummary;
}

interface LlmSettings {
  readonly rubric: Rubric;
  readonly asker: Asker;
  readonly prices: Prices | undefined;
  readonly maxCost: number | undefined;
  readonly temperature: number;
  readonly structured: StructuredMode;
}

/** Opens the judge that the flags describe; `temperatureFlag` names the one of its answers. */
export async function openLlmJudge(
  args: ParsedArguments,
  rubric: string,
  { out, temperatureFlag }: { readonly out: string; readonly temperatureFlag?: string | undefined },
): Promise<OpenLlmJudge> {
  const settings = await readSettings(args, rubric, temperatureFlag);
  const { asker, prices } = settings;
  const store = await openStore(args.text("cache") ?? `${out}.cache.jsonl`, prices);
  const isAnew = args.has("force");
  const judge = createLlmJudge({ ...settings, store, isAnew });
  return {
    judge,
    summary: () => ({
      requests: asker.counts.requests,
      answered: asker.counts.answers,
      faults: Object.fromEntries(asker.counts.faults),
      beyondBudget: asker.counts.beyondBudget,
      cached: judge.usage.cached,
      unreadable: judge.usage.unreadable,
      promptTokens: judge.usage.promptTokens,
      completionTokens: judge.usage.completionTokens,
      estimated: judge.usage.estimated,
      cacheEstimated: store.totals.estimated,
      cost: prices === undefined ? undefined : judge.usage.cost,
      cacheCost: prices === undefined ? undefined : store.totals.cost,
    }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** Prints what judging would take. */
export async function printEstimate(
  args: ParsedArguments,
  { rubric, rollouts, out }: { rubric: string; rollouts: string; out: string | undefined },
  context: CommandContext,
): Promise<void> {
  const { asker, prices, temperature, ...settings } = await readSettings(args, rubric);
  const cache = args.text("cache") ?? (out === undefined ? undefined : `${out}.cache.jsonl`);
  const isThere = cache !== undefined && existsSync(cache);
  await using store = isThere ? await openStore(cache, prices, { isReadOnly: true }) : undefined;
  const estimate = await estimateJudging(readRollouts(rollouts, context), {
    rubric: settings.rubric,
    endpoint: asker.endpoint,
    temperature,
    store,
    prices,
    isAnew: args.has("force"),
  });
  context.print(
    args.has("json") ? JSON.stringify(estimate, undefined, 2) : formatEstimate(estimate),
  );
}

function openStore(
  path: string,
  prices: Prices | undefined,
  options: AnswerStoreOptions = {},
): Promise<AnswerStore> {
  return openAnswerStore(path, (answer) => costOf(answer, prices), options);
}

async function readSettings(
  args: ParsedArguments,
  rubric: string,
  temperatureFlag = "temperature",
): Promise<LlmSettings> {
  const prices = readPrices(args);
  const maxCost = args.number("max-cost", { min: 0 });
  if (maxCost !== undefined && prices === undefined) {
    throw new ConfigError("--max-cost: expected --price-in and --price-out beside it, got neither");
  }
  return {
    rubric: await readRubric(rubric),
    asker: readAsker(args, "judge"),
    prices,
    maxCost,
    temperature: args.number(temperatureFlag, { min: 0, max: 2 }) ?? 0,
    structured: args.choice("structured", STRUCTURED_MODES) ?? "auto",
  };
}

function readPrices(args: ParsedArguments): Prices | undefined {
  const promptPerMillion = args.number("price-in", { min: 0 });
  const completionPerMillion = args.number("price-out", { min: 0 });
  if (promptPerMillion === undefined && completionPerMillion === undefined) return undefined;
  if (promptPerMillion === undefined || completionPerMillion === undefined) {
    throw new ConfigError("judge: expected both --price-in and --price-out, got one");
  }
  return { promptPerMillion, completionPerMillion };
}

function formatEstimate(estimate: JudgingEstimate): string {
  const { rollouts, empty, cached, requests, promptTokens, completionTokens, cost } = estimate;
  return [
    `${rollouts} rollouts: ${requests} requests, ${cached} in the cache or repeated, ${empty} without text`,
    `about ${promptTokens} prompt tokens, at most ${completionTokens} answer tokens`,
    cost === undefined
      ? "money: give --price-in and --price-out"
      : `about ${moneyAmount(cost)} at most, repeated requests aside`,
  ].join("\n");
}
