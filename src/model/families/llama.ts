import { z } from "zod";

import { LLAMA_LIKE } from "../llama-like.ts";
import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { uniformAttention } from "../uniform-attention.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  // Some exporters write it; no layer slides.
  layer_types: z.array(z.literal("full_attention")).nullish(),
};

/** Llama 1-3, SmolLM2 and everything else that calls itself `llama`. */
export const llama: ModelFamily = {
  ...LLAMA_LIKE,
  name: "llama",
  modelTypes: ["llama"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      hasMlpBias: raw.mlp_bias,
      attention: uniformAttention(where, raw, undefined),
    };
  },
};
