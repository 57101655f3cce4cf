import type { Tensor } from "../tensor/graph.ts";
import { add } from "../tensor/ops/arithmetic.ts";
import type { AttentionContext } from "./attention-context.ts";
import { gatedMlp, norm, selfAttention } from "./layers.ts";
import type { LoadedModel } from "./model-family.ts";

/** The block of OLMo 2 and 3: attention, norm, add; MLP, norm, add; queries and keys normed over all heads together. */
export function postNormBlock(
  x: Tensor,
  layer: number,
  model: LoadedModel,
  context: AttentionContext,
): Tensor {
  const prefix = `model.layers.${layer}`;
  const normed = (y: Tensor, name: string): Tensor => norm(y, `${prefix}.${name}`, model);
  const attended = add(
    x,
    normed(
      selfAttention(x, `${prefix}.self_attn`, model, context, "joint"),
      "post_attention_layernorm",
    ),
  );
  return add(
    attended,
    normed(gatedMlp(attended, `${prefix}.mlp`, model), "post_feedforward_layernorm"),
  );
}
