import { z } from "zod";

import type { Tensor } from "../../tensor/graph.ts";
import { add } from "../../tensor/ops/arithmetic.ts";
import { norm, selfAttention } from "../layers.ts";
import { LLAMA_LIKE } from "../llama-like.ts";
import { type ExpertsConfig, mixtureOfExperts } from "../mixture-of-experts.ts";
import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { uniformAttention } from "../uniform-attention.ts";

const count = z.number().int().positive();

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  attention_bias: z.boolean().default(false),
  num_experts: count.default(64),
  num_experts_per_tok: count.default(8),
  norm_topk_prob: z.boolean().default(false),
  // true adds a loss that balances the experts, which training here does not have.
  output_router_logits: z.literal(false).nullish(),
  router_aux_loss_coef: z.number().nullish(),
};

/** OLMoE (Muennighoff et al. 2024): Llama's block with OLMo 2's norms on queries and keys and a mixture of experts as MLP. */
export const olmoe: ModelFamily<ExpertsConfig> = {
  ...LLAMA_LIKE,
  name: "olmoe",
  modelTypes: ["olmoe"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      mlpMatrices: 3 * raw.num_experts_per_tok,
      attention: uniformAttention(where, raw, undefined),
      expertCount: raw.num_experts,
      chosenExperts: raw.num_experts_per_tok,
      isNormalised: raw.norm_topk_prob,
    };
  },
  block(x, layer, model, context) {
    const prefix = `model.layers.${layer}`;
    const normed = (y: Tensor, name: string): Tensor => norm(y, `${prefix}.${name}`, model);
    const attended = add(
      x,
      selfAttention(normed(x, "input_layernorm"), `${prefix}.self_attn`, model, context, "joint"),
    );
    const inner = normed(attended, "post_attention_layernorm");
    return add(attended, mixtureOfExperts(inner, `${prefix}.mlp`, model));
  },
};
