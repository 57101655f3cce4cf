import { ConfigError } from "../../util/errors.ts";
import type { EngineIdentity, GeneratingEngine } from "../engine.ts";

/**
 * Model-diff amplification (method.md): samples from logits_after + α(logits_after − logits_before), where `after` is the engine that
 * generates, to surface rare learned behaviours. α = 0 is `after` itself, α = −1 is `before`. Steering, where there is any, is of
 * `after` alone.
 */
export interface Amplification {
  /** The checkpoint before (M0); an engine of the same kind with the same tokenizer and vocabulary size. Stays the caller's. */
  readonly before: GeneratingEngine;
  /** α, within ±1000. */
  readonly alpha: number;
}

/** Beyond it float32 logits have no digits left to tell tokens apart; nobody amplifies by as much. */
const MAX_ALPHA = 1000;

/** Throws ConfigError where α is out of range or the two checkpoints have different tokenizers. */
export function expectAmplification(
  { before, alpha }: Amplification,
  { tokenizerHash, name }: Pick<EngineIdentity, "tokenizerHash" | "name">,
): void {
  if (!(Math.abs(alpha) <= MAX_ALPHA)) {
    throw new ConfigError(
      `amplify.alpha: expected a number from ${-MAX_ALPHA} to ${MAX_ALPHA}, got ${alpha}`,
    );
  }
  if (before.identity.tokenizerHash === tokenizerHash) return;
  throw new ConfigError(
    `amplify.before: expected the tokenizer of ${name}, got another one in ${before.identity.name}`,
    {
      hint: "The difference of logits means something for equal tokens only: take the checkpoint that training started from.",
    },
  );
}
