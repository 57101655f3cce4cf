import { parameter, type Tensor } from "../tensor/graph.ts";
import { gather } from "../tensor/ops/gather.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { silu } from "../tensor/ops/unary.ts";
import { norm, RMS_NORM, TRANSPOSED } from "./layers.ts";
import type { HeadOptions, LoadedModel, ModelParts } from "./model-family.ts";
import { preNormBlock } from "./pre-norm-block.ts";

/** Name of the embedding table [V, D]; with tied embeddings also the output matrix. */
export const EMBEDDING = "model.embed_tokens.weight";
/** Name of the output matrix [V, D] of a checkpoint whose embeddings are not tied. */
export const OUTPUT_MATRIX = "lm_head.weight";
/** Name of the norm between the last block and the output matrix, without `.weight`. */
const FINAL_NORM = "model.norm";

/** The parts of Llama, and of most others. */
export const LLAMA_LIKE: ModelParts = {
  embed: (ids, { vocabSize, dim }) => gather(parameter(EMBEDDING, [vocabSize, dim]), ids),
  block: preNormBlock,
  norm: RMS_NORM,
  activation: silu,
  head: normedLogits,
};

/** Final norm, then output matrix. */
function normedLogits(x: Tensor, model: LoadedModel, { isStored }: HeadOptions = {}): Tensor {
  const { isTied, vocabSize, dim } = model.config;
  const normed = norm(x, FINAL_NORM, model);
  const name = isTied ? EMBEDDING : OUTPUT_MATRIX;
  return isStored === true
    ? matMul(normed, parameter(name, [vocabSize, dim]), { transposeB: true })
    : matMul(normed, parameter(`${name}${TRANSPOSED}`, [dim, vocabSize]));
}
