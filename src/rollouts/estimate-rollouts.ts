import type { AnswererName } from "../endpoint/answer-key.ts";
import type { AnswerStore } from "../endpoint/answer-store.ts";
import { costOf, type Prices } from "../endpoint/money.ts";
import { estimatePromptTokens } from "../endpoint/token-estimate.ts";
import type { Message } from "../format/messages.ts";
import { type EndpointSampling, requestFor, wantedSamples } from "./endpoint-requests.ts";
import { chosenAnswer } from "./endpoint-rollouts.ts";
import { type Rollout, rolloutId } from "./rollouts.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

/** What an endpoint would be asked, without asking it anything. */
export interface RequestsEstimate {
  readonly rollouts: number;
  /** Of them, those that a stored answer serves, or the answer to another one. */
  readonly cached: number;
  /** Requests if each is answered at once. */
  readonly requests: number;
  /** By bytes, roughly. */
  readonly promptTokens: number;
  /** If every answer is as long as it may be. */
  readonly completionTokens: number;
  /** Of those tokens: what it costs at most, repeated requests aside; undefined without prices. */
  readonly cost: number | undefined;
}

export interface EstimateOptions {
  readonly endpoint: AnswererName;
  /** Undefined: nothing was asked yet. */
  readonly store?: AnswerStore | undefined;
  readonly prices?: Prices | undefined;
  /** Whether to ask again for what has a stored answer that says nothing. */
  readonly isAnew?: boolean | undefined;
}

/** Estimates requests, tokens and money of sampling responses to the prompts. */
export async function estimateRollouts(
  prompts: readonly ScenarioPrompt[],
  sampling: EndpointSampling,
  { endpoint, store, prices, isAnew }: EstimateOptions,
): Promise<RequestsEstimate> {
  const counts = { rollouts: 0, cached: 0, requests: 0, promptTokens: 0 };
  for (const wanted of wantedSamples(prompts, sampling.samples)) {
    const { key, request } = requestFor(wanted, endpoint, sampling);
    counts.rollouts++;
    const stored = (await store?.answers(key)) ?? [];
    if (chosenAnswer(stored, { isAnew }) !== undefined) counts.cached++;
    else countRequest(counts, request.messages);
  }
  return { ...counts, ...priced(counts, sampling.maxTokens, prices) };
}

/** Adds a request to the counts. */
export function countRequest(
  counts: { requests: number; promptTokens: number },
  messages: readonly Message[],
): void {
  counts.requests++;
  counts.promptTokens += estimatePromptTokens(messages);
}

/** What the counted requests cost at most, with answers of `maxTokens` tokens. */
export function priced(
  { requests, promptTokens }: Pick<RequestsEstimate, "requests" | "promptTokens">,
  maxTokens: number,
  prices: Prices | undefined,
): Pick<RequestsEstimate, "completionTokens" | "cost"> {
  const completionTokens = requests * maxTokens;
  return { completionTokens, cost: prices && costOf({ promptTokens, completionTokens }, prices) };
}

/** Bytes of a token at most, nearly: estimates are rather too high. */
const BYTES_PER_TOKEN = 4;

/**
 * Rollouts that are not sampled yet, each with a response of the greatest length and no meaning; for estimates. No two responses are equal, whatever the prompts: each may
 * have to be asked about.
 */
export function* longestRollouts(
  prompts: readonly ScenarioPrompt[],
  { samples, maxTokens }: { readonly samples: number; readonly maxTokens: number },
): Generator<Omit<Rollout, "finish">> {
  let number = 0;
  for (const prompt of prompts) {
    for (let sample = 0; sample < samples; sample++) {
      const response = `${number++} `.padEnd(maxTokens * BYTES_PER_TOKEN, "text ");
      yield { ...prompt, id: rolloutId(prompt, sample), sample, response, tokens: maxTokens };
    }
  }
}
