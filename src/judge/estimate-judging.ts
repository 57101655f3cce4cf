import { answerText } from "../format/thinking-marks.ts";
import {
  countRequest,
  type EstimateOptions,
  priced,
  type RequestsEstimate,
} from "../rollouts/estimate-rollouts.ts";
import { answersLeft } from "./ask-judge.ts";
import type { RolloutWithPrompt } from "./judge.ts";
import { rubricRequest } from "./rubric-request.ts";
import type { Rubric } from "./rubric.ts";

/** What judging would take, without asking anything. */
export interface JudgingEstimate extends RequestsEstimate {
  /** Responses without text, about which nothing is asked. */
  readonly empty: number;
}

/** Estimates requests, tokens and money of judging the rollouts. */
export async function estimateJudging(
  rollouts: Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>,
  options: EstimateOptions & {
    readonly rubric: Rubric;
    readonly temperature?: number | undefined;
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
    countRequest(counts, messages);
  }
  return { ...counts, ...priced(counts, rubric.maxTokens, prices) };
}
