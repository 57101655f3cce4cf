import { z } from "zod";

import { LLAMA_LIKE } from "../llama-like.ts";
import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { qwenAttention, QWEN_SLIDING_CONFIG } from "../qwen-attention.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  ...QWEN_SLIDING_CONFIG,
  use_mrope: z.literal(false).nullish(),
};

/** Qwen 2 and 2.5: Llama's block with biases on queries, keys and values. */
export const qwen2: ModelFamily = {
  ...LLAMA_LIKE,
  name: "qwen2",
  modelTypes: ["qwen2"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: true,
      attention: qwenAttention(where, raw),
    };
  },
};
