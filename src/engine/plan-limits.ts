import type { ModelConfig } from "../model/model-config.ts";
import type { PlanLimits } from "./plan-batches.ts";

/** Attention scores of a batch over all heads: 64 Mi floats, 256 MB. */
const MAX_BATCH_SCORES = 2 ** 26;

/** What rows cost and how large batches may be, for the first `top` blocks of a model. */
export function planLimits(
  { dim, heads, keyHeads, headDim, mlpDim, attention }: ModelConfig,
  top: number,
  { batchTokens, prefixLength = 0 }: { batchTokens: number; prefixLength?: number | undefined },
): PlanLimits {
  const used = attention.slice(0, top);
  const perBlock = dim * headDim * (2 * heads + 2 * keyHeads) + 3 * dim * mlpDim;
  return {
    costPerToken: Math.max(1, used.length) * perBlock,
    costPerScore: used.length * 2 * heads * headDim,
    batchTokens,
    batchScores: MAX_BATCH_SCORES / heads,
    ropes: [...new Set(used.map((each) => each.rope))],
    prefixLength,
  };
}
