import type { Tensor } from "../tensor/graph.ts";
import { add } from "../tensor/ops/arithmetic.ts";
import {
  type AttentionContext,
  gatedMlp,
  norm,
  type QueryKeyNorm,
  selfAttention,
} from "./layers.ts";
import type { ModelConfig } from "./model-config.ts";

/** The block of Llama and its kin: norm, attention, add; norm, MLP, add. */
export function preNormBlock(
  x: Tensor,
  layer: number,
  config: ModelConfig,
  context: AttentionContext,
  queryKeyNorm: QueryKeyNorm = "none",
): Tensor {
  const prefix = `model.layers.${layer}`;
  const normed = (y: Tensor, name: string): Tensor =>
    norm(y, `${prefix}.${name}`, config.dim, config.epsilon);
  const attended = add(
    x,
    selfAttention(
      normed(x, "input_layernorm"),
      `${prefix}.self_attn`,
      config,
      context,
      queryKeyNorm,
    ),
  );
  return add(
    attended,
    gatedMlp(normed(attended, "post_attention_layernorm"), `${prefix}.mlp`, config),
  );
}
