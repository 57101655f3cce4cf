import { z } from "zod";

import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { preNormBlock } from "../pre-norm-block.ts";
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
  name: "mistral",
  modelTypes: ["mistral"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    // null says that there is none; transformers gives one where the key is absent.
    const window =
      raw.sliding_window === undefined ? DEFAULT_WINDOW : (raw.sliding_window ?? undefined);
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: false,
      hasOutputBias: false,
      hasMlpBias: false,
      attention: uniformAttention(where, raw, window),
    };
  },
  block: preNormBlock,
};
