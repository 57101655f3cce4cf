import type { AnswererName } from "../endpoint/answer-key.ts";
import type { AnswerStore } from "../endpoint/answer-store.ts";
import { costOf, type Prices } from "../endpoint/money.ts";
import { estimatePromptTokens } from "../endpoint/token-estimate.ts";
import { answerText } from "./answer-text.ts";
import { answersLeft } from "./ask-judge.ts";
import type { RolloutWithPrompt } from "./judge.ts";
import { rubricRequest } from "./rubric-request.ts";
import type { Rubric } from "./rubric.ts";

/** What judging would take, without asking anything. */
export interface JudgingEstimate {
  readonly rollouts: number;
  /** Responses without text, about which nothing is asked. */
  readonly empty: number;
  /** With a stored answer that says something, or with as many as are asked for, or with the text of another rollout. */
  readonly cached: number;
  /** Requests if each is answered readably at once. */
  readonly requests: number;
  /** By bytes, roughly. */
  readonly promptTokens: number;
  /** If every answer is as long as it may be. */
  readonly completionTokens: number;
  /** Of those tokens: what it costs at most, retries of unreadable answers aside; undefined without prices. */
  readonly cost: number | undefined;
}

/** Estimates requests, tokens and money of judging the rollouts. */
export async function estimateJudging(
  rollouts: Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>,
  options: {
    readonly rubric: Rubric;
    readonly endpoint: AnswererName;
    readonly temperature?: number | undefined;
    /** Undefined: nothing was asked yet. */
    readonly store?: AnswerStore | undefined;
    readonly prices?: Prices | undefined;
    /** As in LlmJudgeOptions. */
    readonly isAnew?: boolean | undefined;
  },
): Promise<JudgingEstimate> {
  const { rubric, endpoint, temperature = 0, store, prices, isAnew } = options;
  const settings = { endpoint, temperature, maxTokens: rubric.maxTokens };
  const seen = new Set<string>();
  const counts = { rollouts: 0, empty: 0, cached: 0, requests: 0, promptTokens: 0 };
  for await (const { prompt, response, opensThinking } of rollouts) {
    counts.rollouts++;
    const answer = answerText(response, opensThinking);
    if (answer === "") {
      counts.empty++;
      continue;
    }
    const { messages, key } = rubricRequest(rubric, { prompt, response: answer }, settings);
    const paid = seen.has(key) ? undefined : ((await store?.answers(key)) ?? []);
    if (paid === undefined || answersLeft(paid, { answer: rubric.answer, isAnew }) === 0) {
      counts.cached++;
      continue;
    }
    seen.add(key);
    counts.requests++;
    counts.promptTokens += estimatePromptTokens(messages);
  }
  const completionTokens = counts.requests * rubric.maxTokens;
  const cost =
    prices === undefined
      ? undefined
      : costOf({ promptTokens: counts.promptTokens, completionTokens }, prices);
  return { ...counts, completionTokens, cost };
}
