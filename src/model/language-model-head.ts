import { parameter, type Tensor } from "../tensor/graph.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { norm, TRANSPOSED } from "./layers.ts";
import type { ModelConfig } from "./model-config.ts";

/** Name of the embedding table [V, D] in every supported family; with tied embeddings also the output matrix. */
export const EMBEDDING = "model.embed_tokens.weight";
/** Name of the output matrix [V, D] of a checkpoint whose embeddings are not tied. */
export const OUTPUT_MATRIX = "lm_head.weight";
/** Name of the norm between the last block and the output matrix, without `.weight`. */
export const FINAL_NORM = "model.norm";

/** The stored output matrix, [V, D]: the embedding table where the two are tied. */
export function outputMatrixName(config: ModelConfig): string {
  return config.isTied ? EMBEDDING : OUTPUT_MATRIX;
}

export interface HeadOptions {
  /**
   * The output matrix as it is stored, [V, D]. Default: the parameter `<stored name>.T` [D, V], which for tied embeddings is a second,
   * transposed copy of the table. Training passes the table itself, so that both uses of it share one gradient.
   */
  readonly table?: Tensor | undefined;
}

/** Residual stream after the last block [..., D] to logits over the vocabulary [..., V]: final norm, then output matrix. */
export function languageModelHead(
  x: Tensor,
  config: ModelConfig,
  { table }: HeadOptions = {},
): Tensor {
  const { dim, vocabSize, epsilon } = config;
  const normed = norm(x, FINAL_NORM, dim, epsilon);
  if (table !== undefined) return matMul(normed, table, { transposeB: true });
  return matMul(normed, parameter(`${outputMatrixName(config)}${TRANSPOSED}`, [dim, vocabSize]));
}
