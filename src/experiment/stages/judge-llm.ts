/** @file Judging the rollouts of a stage by an LLM: what was paid for is kept, and what it took is on the ledger. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";

import {
  type AnswerStore,
  type AnswerStoreOptions,
  openAnswerStore,
} from "../../endpoint/answer-store.ts";
import { describeCounts } from "../../endpoint/describe-counts.ts";
import { costOf } from "../../endpoint/money.ts";
import { estimateJudging } from "../../judge/estimate-judging.ts";
import type { RolloutWithPrompt } from "../../judge/judge.ts";
import { createLlmJudge } from "../../judge/llm-judge.ts";
import { isMissing, type Verdict } from "../../judge/verdict.ts";
import { RuntimeError } from "../../util/errors.ts";
import { endpointLedger } from "../endpoint-ledger.ts";
import { withSetting } from "../in-setting.ts";
import type { LlmJudgeInput } from "../judge-input.ts";
import type { AskingEstimate, EstimatePlace, StageWork } from "../stage.ts";
import type { JudgePlace, StageJudge } from "./stage-judge.ts";

/** In the experiment's cache folder; all judge stages share it, so that equal responses are asked about once. */
const ANSWERS_NAME = "judge-answers.jsonl";

/**
 * Opens the judge. Where the budget does not reach, its verdicts end in a RuntimeError: all answers are kept, and only what is not
 * answered is asked by the next run.
 */
export async function openLlmJudge(
  judge: LlmJudgeInput,
  work: StageWork,
  { stage, currency }: JudgePlace,
): Promise<StageJudge> {
  const { rubric, settings, endpoint } = judge;
  const { prices } = endpoint;
  const { maxCost, temperature, structured } = settings;
  const asker = endpoint.openAsker();
  await mkdir(work.cache, { recursive: true });
  const store = await openStore(judge, work.cache, { owner: basename(work.directory) });
  work.cost.watchEndpoint(endpointLedger(asker, store, prices !== undefined));
  const llm = createLlmJudge({
    rubric,
    asker,
    store,
    prices,
    maxCost,
    temperature,
    structured,
    isAnew: work.isForced,
  });
  return {
    name: llm.name,
    behavior: llm.behavior,
    async *judge(rollouts, options) {
      const counts = { rollouts: 0, beyondBudget: 0 };
      try {
        yield* withinBudget(naming(llm.judge(rollouts, options)), counts);
      } catch (error) {
        for (const line of describeCounts(asker.counts)) options?.progress?.note(line);
        if (prices !== undefined) {
          options?.progress?.note(
            `${stage}: ${llm.usage.cost.toFixed(4)} ${currency} paid for these answers, ${store.totals.cost.toFixed(4)} for all that are kept`,
          );
        }
        throw error;
      }
      const { unreadable } = llm.usage;
      if (unreadable > 0) {
        options?.progress?.note(
          `${stage}: ${unreadable} rollouts have only answers that cannot be read; --force-stage ${stage} asks for these again`,
        );
      }
      if (counts.beyondBudget === 0) return;
      throw new RuntimeError(
        `${stage}: judge.maxCost of ${maxCost} ${currency} is used up: ${store.totals.cost.toFixed(4)} spent, ${counts.beyondBudget} of ${counts.rollouts} rollouts not judged`,
        {
          hint: "Raise judge.maxCost and give the same command: every answer so far is kept and not asked again.",
        },
      );
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** To the end also where the budget is used up: answers under way are paid for and go into the store. */
async function* withinBudget(
  verdicts: AsyncIterable<Verdict>,
  counts: { rollouts: number; beyondBudget: number },
): AsyncGenerator<Verdict> {
  for await (const verdict of verdicts) {
    counts.rollouts++;
    if (isMissing(verdict) && verdict.missing === "budget") counts.beyondBudget++;
    // What an answer cost depends on who asked first; the ledger has it.
    const { cost: _, ...said } = verdict;
    yield said;
  }
}

/** Errors of the endpoint say which setting names it. */
async function* naming(verdicts: AsyncIterable<Verdict>): AsyncGenerator<Verdict> {
  try {
    yield* verdicts;
  } catch (error) {
    throw withSetting("judge.endpoint", error);
  }
}

/** What judging would take at most. */
export async function estimateLlmJudging(
  judge: LlmJudgeInput,
  { cache, isForced }: Pick<EstimatePlace, "cache" | "isForced">,
  rollouts: Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>,
): Promise<Omit<AskingEstimate, "isSampled">> {
  const { rubric, settings, endpoint } = judge;
  const hasStore = existsSync(join(cache, ANSWERS_NAME));
  await using store = hasStore ? await openStore(judge, cache, { isReadOnly: true }) : undefined;
  const { requests, promptTokens, completionTokens, cost } = await estimateJudging(rollouts, {
    rubric,
    endpoint: settings.endpoint,
    temperature: settings.temperature,
    store,
    prices: endpoint.prices,
    isAnew: isForced,
  });
  return { requests, promptTokens, completionTokens, money: cost };
}

function openStore(
  { endpoint }: LlmJudgeInput,
  cache: string,
  options: AnswerStoreOptions,
): Promise<AnswerStore> {
  const price = (answer: Parameters<typeof costOf>[0]): number => costOf(answer, endpoint.prices);
  return openAnswerStore(join(cache, ANSWERS_NAME), price, options);
}
