import { type Rollout, rolloutId } from "./rollouts.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

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
