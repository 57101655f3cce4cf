import { blockWeights } from "../model/block-weights.ts";
import type { ModelConfig } from "../model/model-config.ts";
import type { TokenizedExample } from "./engine.ts";
import type { PlannedBatch } from "./plan-batches.ts";

/** What a batch of training has to do. */
export interface BatchWork {
  /** Tokens of all rows, padding left out. */
  readonly tokens: number;
  /** Floating-point operations of matrix products, forward and backward, padding left out; a multiply-add is two. */
  readonly flops: number;
}

/**
 * Counts a batch. Forward: two operations a token for each weight of a matrix, four a head's width for each pair of query and visible
 * key, logits for response tokens only. Backward: twice the forward, or as much again where the weights are not trained (LoRA).
 */
export function batchWork(
  config: ModelConfig,
  examples: readonly TokenizedExample[],
  batch: PlannedBatch,
  { isLora, trainedNumbers }: { readonly isLora: boolean; readonly trainedNumbers: number },
): BatchWork {
  let tokens = 0;
  let visible = 0;
  let predicted = 0;
  for (const row of batch) {
    const { prompt, responses } = examples[row.example]!; // planned from these examples
    tokens += row.length;
    visible += (prompt.length * (prompt.length + 1)) / 2;
    for (const each of row.responses) {
      const { length } = responses[each]!;
      visible += length * prompt.length + (length * (length + 1)) / 2;
      predicted += length;
    }
  }
  const { dim, heads, headDim, layerCount, vocabSize } = config;
  const forward =
    2 * tokens * layerCount * blockWeights(config) +
    4 * visible * layerCount * heads * headDim +
    2 * predicted * dim * vocabSize;
  const factors = isLora ? 6 * tokens * trainedNumbers : 0;
  return { tokens, flops: (isLora ? 2 : 3) * forward + factors };
}
