import { z } from "zod";

import { LLAMA_LIKE } from "../llama-like.ts";
import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { preNormBlock } from "../pre-norm-block.ts";
import { qwenAttention, QWEN_SLIDING_CONFIG } from "../qwen-attention.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  ...QWEN_SLIDING_CONFIG,
  attention_bias: z.boolean().default(false),
};

/** Where config.json is silent; transformers does not divide the width by the heads here. */
const DEFAULT_HEAD_DIM = 128;

/** Qwen 3 (dense): Llama's block with a norm on each head's query and key. */
export const qwen3: ModelFamily = {
  ...LLAMA_LIKE,
  name: "qwen3",
  modelTypes: ["qwen3"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    return {
      ...commonModelConfig(where, { ...raw, head_dim: raw.head_dim ?? DEFAULT_HEAD_DIM }),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      attention: qwenAttention(where, raw),
    };
  },
  block: (x, layer, model, context) => preNormBlock(x, layer, model, context, "per-head"),
};
