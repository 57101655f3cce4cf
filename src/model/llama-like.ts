import { parameter, type Tensor } from "../tensor/graph.ts";
import { gather } from "../tensor/ops/gather.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { silu } from "../tensor/ops/unary.ts";
import { norm, RMS_NORM, TRANSPOSED } from "./layers.ts";
import type { HeadOptions, LoadedModel, ModelParts, WeightNames } from "./model-family.ts";
import { preNormBlock } from "./pre-norm-block.ts";

const NAMES: WeightNames = {
  base: "model.",
  embedding: "model.embed_tokens.weight",
  outputMatrix: "lm_head.weight",
};
/** Name of the norm between the last block and the output matrix, without `.weight`. */
const FINAL_NORM = "model.norm";

/** The parts of Llama, and of most others. */
export const LLAMA_LIKE: ModelParts = {
  names: NAMES,
  embed: (ids, { vocabSize, dim }) => gather(parameter(NAMES.embedding, [vocabSize, dim]), ids),
  block: preNormBlock,
  norm: RMS_NORM,
  activation: silu,
  head: (x, model, options) => normedLogits(x, FINAL_NORM, model, options),
};

/** The norm named `finalNorm`, then the output matrix. */
export function normedLogits(
  x: Tensor,
  finalNorm: string,
  model: LoadedModel,
  { isStored }: HeadOptions = {},
): Tensor {
  const { config, family } = model;
  const { isTied, vocabSize, dim } = config;
  const normed = norm(x, finalNorm, model);
  const name = isTied ? family.names.embedding : family.names.outputMatrix;
  return isStored === true
    ? matMul(normed, parameter(name, [vocabSize, dim]), { transposeB: true })
    : matMul(normed, parameter(`${name}${TRANSPOSED}`, [dim, vocabSize]));
}
