import type { ModelConfig } from "./model-config.ts";

/** Weights of the matrices of one block that a token meets: projections of the attention, and the MLP. For estimates of cost. */
export function blockWeights({
  dim,
  heads,
  keyHeads,
  headDim,
  mlpDim,
  mlpMatrices,
}: ModelConfig): number {
  return dim * headDim * (2 * heads + 2 * keyHeads) + mlpMatrices * dim * mlpDim;
}
