import { z } from "zod";

import type { Engine, TokenizedExample } from "../engine/engine.ts";
import { UnusableExampleError } from "../model/prompt-renderer-error.ts";
import type { Rollout } from "../rollouts/rollouts.ts";
import { jsonArtifact } from "../util/artifact.ts";
import { type Coherence, coherenceSchema } from "./steering-report.ts";

/** Of an arm, beside its rollouts; `rollouts` is the hash of their manifest. */
export const ARM_COHERENCE = jsonArtifact(
  "coherence.json",
  "the coherence of an arm's rollouts",
  z.strictObject({ rollouts: z.string(), coherence: coherenceSchema }),
  { indent: 0 },
);

/** The part of an engine that says how likely a text is. */
type ScoringEngine = Pick<Engine, "tokenize" | "logprobs" | "stopTokens" | "contextLength">;

/**
 * How likely rollouts are under an engine, unsteered: the mean log-probability of all their tokens, the end of the turn included where
 * it was sampled. Memory: the token ids.
 */
export async function measureCoherence(
  engine: ScoringEngine,
  rollouts: AsyncIterable<Rollout>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Coherence> {
  const { examples, unscored } = await collectExamples(engine, rollouts);
  let sum = 0;
  let tokens = 0;
  for await (const { logprobs, tokenCounts } of engine.logprobs(examples, { signal })) {
    for (const [i, logprob] of logprobs.entries()) {
      sum += logprob;
      tokens += tokenCounts[i]!;
    }
  }
  return { logprob: tokens === 0 ? undefined : sum / tokens, tokens, unscored };
}

/** Rollouts of one prompt that follow each other become one example, so that the prompt runs once. */
async function collectExamples(
  engine: ScoringEngine,
  rollouts: AsyncIterable<Rollout>,
): Promise<{ readonly examples: readonly TokenizedExample[]; readonly unscored: number }> {
  const examples: { prompt: Int32Array; responses: Int32Array[] }[] = [];
  let last = "";
  let unscored = 0;
  for await (const rollout of rollouts) {
    const found = tokenizeRollout(engine, rollout);
    if (found === undefined) {
      unscored++;
      continue;
    }
    const key = JSON.stringify([rollout.scenario, rollout.variant]);
    if (key === last) examples.at(-1)!.responses.push(found.response);
    else examples.push({ prompt: found.prompt, responses: [found.response] });
    last = key;
  }
  return { examples, unscored };
}

function tokenizeRollout(
  engine: ScoringEngine,
  { prompt, response, finish }: Rollout,
): { readonly prompt: Int32Array; readonly response: Int32Array } | undefined {
  try {
    const tokenized = engine.tokenize(prompt, [[{ role: "assistant", content: response }]]);
    const whole = tokenized.responses[0]!; // one response was given
    const end =
      finish === "stop" ? whole.length : whole.findIndex((id) => engine.stopTokens.includes(id));
    const room = engine.contextLength - tokenized.prompt.length;
    const kept = whole.subarray(0, Math.min(end === -1 ? whole.length : end, room));
    return kept.length === 0 ? undefined : { prompt: tokenized.prompt, response: kept };
  } catch (error) {
    if (error instanceof UnusableExampleError) return undefined;
    throw error;
  }
}
