import { blockWeights } from "../model/block-weights.ts";
import type { ModelConfig } from "../model/model-config.ts";
import { usedRopes } from "../model/pooled-activations.ts";
import type { PlanLimits } from "./plan-batches.ts";

/** Attention scores of a batch over all heads: 64 Mi floats, 256 MB. */
const MAX_BATCH_SCORES = 2 ** 26;

/** What rows cost and how large batches may be, for the first `top` blocks of a model. */
export function planLimits(
  config: ModelConfig,
  top: number,
  { batchTokens, prefixLength = 0 }: { batchTokens: number; prefixLength?: number | undefined },
): PlanLimits {
  const { heads, headDim } = config;
  return {
    costPerToken: Math.max(1, top) * blockWeights(config),
    costPerScore: top * 2 * heads * headDim,
    batchTokens,
    batchScores: MAX_BATCH_SCORES / heads,
    ropes: usedRopes(config, top),
    prefixLength,
  };
}
