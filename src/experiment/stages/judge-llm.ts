/** @file Judging the rollouts of a stage by an LLM: what was paid for is kept, and what it took is on the ledger. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";

import {
  type AnswerStore,
  type AnswerStoreOptions,
  openAnswerStore,
} from "../../endpoint/answer-store.ts";
import { costOf } from "../../endpoint/money.ts";
import { estimateJudging } from "../../judge/estimate-judging.ts";
import type { RolloutWithPrompt } from "../../judge/judge.ts";
import { createLlmJudge } from "../../judge/llm-judge.ts";
import { isMissing, type Verdict, writeVerdicts } from "../../judge/verdict.ts";
import { RuntimeError } from "../../util/errors.ts";
import { endpointLedger } from "../endpoint-ledger.ts";
import { inSetting } from "../in-setting.ts";
import type { LlmJudgeInput } from "../judge-input.ts";
import type { AskingEstimate, EstimatePlace, StageWork } from "../stage.ts";
import { withAbsent } from "./absent-rollouts.ts";
import { plannedRollouts, type PlannedRolloutsOf } from "./planned-rollouts.ts";
import { readStageRollouts } from "./rollouts.ts";

/** In the experiment's cache folder; all judge stages share it, so that equal responses are asked about once. */
const ANSWERS_NAME = "judge-answers.jsonl";

export interface LlmJudging {
  /** The verdict file to write. */
  readonly path: string;
  /** The stage's id, for errors. */
  readonly stage: string;
  readonly currency: string;
}

/**
 * Writes the verdicts. Throws RuntimeError where the budget did not reach: then no verdict file is written, all answers are kept, and
 * only what is not answered is asked by the next run.
 */
export async function judgeByLlm(
  judge: LlmJudgeInput,
  work: StageWork,
  { path, stage, currency }: LlmJudging,
): Promise<void> {
  const { rubric, settings } = judge;
  const { prices } = judge.endpoint;
  const { maxCost, temperature, structured } = settings;
  const asker = judge.endpoint.openAsker();
  await mkdir(work.cache, { recursive: true });
  await using store = await openStore(judge, work.cache, { owner: basename(work.directory) });
  work.cost.watchEndpoint(() => endpointLedger(asker, store, prices !== undefined));
  const llm = createLlmJudge({ rubric, asker, store, prices, maxCost, temperature, structured });
  const counts = { rollouts: 0, beyondBudget: 0 };
  const verdicts = async function* (): AsyncGenerator<Verdict> {
    const judged = llm.judge(readStageRollouts(work.input("rollouts")), {
      progress: work.progress("rollouts"),
      ...(work.signal === undefined ? {} : { signal: work.signal }),
    });
    // To the end also where the budget is used up: answers under way are paid for and go into the store.
    for await (const verdict of judged) {
      counts.rollouts++;
      if (isMissing(verdict) && verdict.missing === "budget") counts.beyondBudget++;
      // What an answer cost depends on who asked first; the ledger has it.
      const { cost: _, ...said } = verdict;
      yield said;
    }
    if (counts.beyondBudget === 0) return;
    const { beyondBudget, rollouts } = counts;
    throw new RuntimeError(
      `${stage}: judge.maxCost of ${maxCost} ${currency} is used up: ${store.totals.cost.toFixed(4)} spent, ${beyondBudget} of ${rollouts} rollouts not judged`,
      {
        hint: "Raise judge.maxCost and give the same command: every answer so far is kept and not asked again.",
      },
    );
  };
  await inSetting("judge.endpoint", () =>
    writeVerdicts(path, withAbsent(verdicts(), work.input("rollouts"))),
  );
}

/** What judging would take at most. Of responses that are not there yet it is taken that each is as long as it may be. */
export async function estimateLlmJudging(
  judge: LlmJudgeInput,
  { input, cache }: EstimatePlace,
  planned: PlannedRolloutsOf,
): Promise<AskingEstimate> {
  const folder = input("rollouts");
  const rollouts: AsyncIterable<RolloutWithPrompt> | Iterable<RolloutWithPrompt> =
    folder === undefined ? plannedRollouts(planned) : readStageRollouts(folder);
  const { rubric, settings } = judge;
  const { prices } = judge.endpoint;
  const hasStore = existsSync(join(cache, ANSWERS_NAME));
  await using store = hasStore ? await openStore(judge, cache, { isReadOnly: true }) : undefined;
  const { requests, promptTokens, completionTokens, cost } = await estimateJudging(rollouts, {
    rubric,
    model: settings.endpoint.model,
    temperature: settings.temperature,
    store,
    prices,
  });
  return { requests, promptTokens, completionTokens, money: cost, isSampled: folder !== undefined };
}

function openStore(
  { endpoint }: LlmJudgeInput,
  cache: string,
  options: AnswerStoreOptions,
): Promise<AnswerStore> {
  const price = (answer: Parameters<typeof costOf>[0]): number => costOf(answer, endpoint.prices);
  return openAnswerStore(join(cache, ANSWERS_NAME), price, options);
}
