import { z } from "zod";

import { LLAMA_LIKE } from "../llama-like.ts";
import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { postNormBlock } from "../post-norm-block.ts";
import { uniformAttention } from "../uniform-attention.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  attention_bias: z.boolean().default(false),
};

/** OLMo 2. */
export const olmo2: ModelFamily = {
  ...LLAMA_LIKE,
  name: "olmo2",
  modelTypes: ["olmo2"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      attention: uniformAttention(where, raw, undefined),
    };
  },
  block: postNormBlock,
};
