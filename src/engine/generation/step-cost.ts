import { blockWeights } from "../../model/block-weights.ts";
import type { ModelConfig } from "../../model/model-config.ts";
import type { GenerationCounter } from "./generate-options.ts";

/** Adds one sampled token for each row, given how many tokens each had before. */
export function countStep(
  counter: GenerationCounter,
  config: ModelConfig,
  lengths: readonly number[],
): void {
  counter.sampledTokens += lengths.length;
  for (const length of lengths) counter.flops += 2 * (tokenCost(config, length) + headCost(config));
}

/** Adds prompt tokens, of which the first `before` were there already and the last is left to the first step. */
export function countPrompt(
  counter: GenerationCounter,
  config: ModelConfig,
  { before, count }: { readonly before: number; readonly count: number },
): void {
  counter.promptTokens += count;
  const meanSeen = before + (count - 1) / 2;
  counter.flops += 2 * count * tokenCost(config, meanSeen);
}

/** A counter that adds operations to another and leaves its tokens: for a second model that runs the same ones. */
export function flopsOnly(counter: GenerationCounter): GenerationCounter {
  return {
    promptTokens: 0,
    sampledTokens: 0,
    get flops() {
      return counter.flops;
    },
    set flops(value) {
      counter.flops = value;
    },
  };
}

/** Multiply-adds of one token in all blocks, seeing `seen` tokens before it. */
function tokenCost(config: ModelConfig, seen: number): number {
  const { heads, headDim, layerCount } = config;
  return layerCount * (blockWeights(config) + 2 * heads * headDim * (seen + 1));
}

function headCost({ dim, vocabSize }: ModelConfig): number {
  return dim * vocabSize;
}
