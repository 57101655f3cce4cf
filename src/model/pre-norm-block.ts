import type { Tensor } from "../tensor/graph.ts";
import { add } from "../tensor/ops/arithmetic.ts";
import type { AttentionContext } from "./attention-context.ts";
import { gatedMlp, norm, type QueryKeyNorm, selfAttention } from "./layers.ts";
import type { LoadedModel } from "./model-family.ts";

/** The block of Llama and its kin: norm, attention, add; norm, MLP, add. */
export function preNormBlock(
  x: Tensor,
  layer: number,
  model: LoadedModel,
  context: AttentionContext,
  queryKeyNorm: QueryKeyNorm = "none",
): Tensor {
  const prefix = `model.layers.${layer}`;
  const normed = (y: Tensor, name: string): Tensor => norm(y, `${prefix}.${name}`, model);
  const attended = add(
    x,
    selfAttention(
      normed(x, "input_layernorm"),
      `${prefix}.self_attn`,
      model,
      context,
      queryKeyNorm,
    ),
  );
  return add(
    attended,
    gatedMlp(normed(attended, "post_attention_layernorm"), `${prefix}.mlp`, model),
  );
}
