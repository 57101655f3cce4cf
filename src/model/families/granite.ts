import { z } from "zod";

import { scalar, type Tensor } from "../../tensor/graph.ts";
import { add, multiply } from "../../tensor/ops/arithmetic.ts";
import { gatedMlp, norm, selfAttention } from "../layers.ts";
import { LLAMA_LIKE } from "../llama-like.ts";
import {
  COMMON_CONFIG,
  commonModelConfig,
  type ModelConfig,
  NEUTRAL_CONFIG,
  parseConfig,
} from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { uniformAttention } from "../uniform-attention.ts";

interface GraniteConfig extends ModelConfig {
  readonly embeddingMultiplier: number;
  /** Of what attention and MLP add to the residual stream. */
  readonly residualMultiplier: number;
  /** Logits are divided by it. */
  readonly logitsScaling: number;
}

const multiplier = z.number().positive().default(1);

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  embedding_multiplier: multiplier,
  attention_multiplier: multiplier,
  residual_multiplier: multiplier,
  logits_scaling: multiplier,
};

/** Granite 3 and later, dense: Llama's block with four multipliers. */
export const granite: ModelFamily<GraniteConfig> = {
  ...LLAMA_LIKE,
  name: "granite",
  modelTypes: ["granite"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    return {
      ...commonModelConfig(where, raw),
      attentionScale: raw.attention_multiplier,
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      hasMlpBias: raw.mlp_bias,
      attention: uniformAttention(where, raw, undefined),
      embeddingMultiplier: raw.embedding_multiplier,
      residualMultiplier: raw.residual_multiplier,
      logitsScaling: raw.logits_scaling,
    };
  },
  embed: (ids, config) =>
    multiply(LLAMA_LIKE.embed(ids, config), scalar(config.embeddingMultiplier)),
  block(x, layer, model, context) {
    const prefix = `model.layers.${layer}`;
    const normed = (y: Tensor, name: string): Tensor => norm(y, `${prefix}.${name}`, model);
    const addScaled = (stream: Tensor, y: Tensor): Tensor =>
      add(stream, multiply(y, scalar(model.config.residualMultiplier)));
    const attended = addScaled(
      x,
      selfAttention(normed(x, "input_layernorm"), `${prefix}.self_attn`, model, context, "none"),
    );
    const inner = normed(attended, "post_attention_layernorm");
    return addScaled(attended, gatedMlp(inner, `${prefix}.mlp`, model));
  },
  head: (x, model, options) =>
    multiply(LLAMA_LIKE.head(x, model, options), scalar(1 / model.config.logitsScaling)),
};
