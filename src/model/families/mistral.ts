import { z } from "zod";

import { LLAMA_LIKE } from "../llama-like.ts";
import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { uniformAttention } from "../uniform-attention.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  sliding_window: z.number().int().positive().nullish(),
};

/** Where config.json is silent. */
const DEFAULT_WINDOW = 4096;

/** Mistral 7B and kin: Llama's block, in the first versions with a sliding window on every layer. */
export const mistral: ModelFamily = {
  ...LLAMA_LIKE,
  name: "mistral",
  modelTypes: ["mistral"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    // null says that there is none; transformers gives one where the key is absent.
    const window =
      raw.sliding_window === undefined ? DEFAULT_WINDOW : (raw.sliding_window ?? undefined);
    return {
      ...commonModelConfig(where, raw),
      attention: uniformAttention(where, raw, window),
    };
  },
};
