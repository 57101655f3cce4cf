/** @file Which samples an endpoint is asked for, and how. */
import { answerKey, type AnswererName } from "../endpoint/answer-key.ts";
import type { ChatRequest } from "../endpoint/chat-endpoint.ts";
import { firstDraws } from "./own-draws.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

/** How an endpoint is to sample. */
export interface EndpointSampling {
  readonly samples: number;
  readonly maxTokens: number;
  readonly temperature: number;
  /** Default: the endpoint's. */
  readonly topP?: number | undefined;
  /** Sent with each sample, changed by the number of its draw (see firstDraws); endpoints may pass over it. */
  readonly seed: number;
}

const SEEDS = 2 ** 31;

/** One sample of a prompt. */
export interface WantedSample {
  readonly prompt: ScenarioPrompt;
  readonly sample: number;
  /** Number of the draw among those of the same messages. */
  readonly draw: number;
}

/** The samples of all prompts, prompt by prompt. */
export function* wantedSamples(
  prompts: readonly ScenarioPrompt[],
  samples: number,
): Generator<WantedSample, void, undefined> {
  const first = firstDraws(
    prompts.map(({ prompt }) => JSON.stringify(prompt)),
    samples,
  );
  for (const [i, prompt] of prompts.entries()) {
    for (let sample = 0; sample < samples; sample++) {
      yield { prompt, sample, draw: first[i]! + sample };
    }
  }
}

/** What is asked for a sample, and the key that its answer is stored under. */
export function requestFor(
  { prompt, sample, draw }: WantedSample,
  endpoint: AnswererName,
  { maxTokens, temperature, topP, seed }: EndpointSampling,
): { readonly request: ChatRequest; readonly key: string } {
  const request: ChatRequest = {
    messages: prompt.prompt,
    maxTokens,
    temperature,
    topP,
    seed: (seed + draw) % SEEDS,
  };
  const { scenario, variant } = prompt;
  return {
    request,
    key: answerKey(endpoint, { kind: "rollout", scenario, variant, sample, ...request }),
  };
}
