import type { GeneratingEngine } from "../engine.ts";

/**
 * Model-diff amplification (method.md): samples from logits_after + α(logits_after − logits_before), where `after` is the engine that
 * generates, to surface rare learned behaviours. α = 0 is `after` itself, α = −1 is `before`.
 */
export interface Amplification {
  /** The checkpoint before (M0); an engine of the same kind with the same tokenizer and vocabulary size. Stays the caller's. */
  readonly before: GeneratingEngine;
  /** α, any finite number. */
  readonly alpha: number;
}
