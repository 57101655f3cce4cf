import { z } from "zod";

import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { preNormBlock } from "../pre-norm-block.ts";
import { readRopeScaling } from "../rope.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
};

/** Where config.json is silent. */
const DEFAULT_THETA = 10_000;

/** Llama 1-3, SmolLM2 and everything else that calls itself `llama`. */
export const llama: ModelFamily = {
  name: "llama",
  modelTypes: ["llama"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    const rope = readRopeScaling(where, raw.rope_scaling ?? raw.rope_parameters, {
      theta: raw.rope_theta ?? DEFAULT_THETA,
      maxPositions: raw.max_position_embeddings,
    });
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      hasMlpBias: raw.mlp_bias,
      attention: Array.from({ length: raw.num_hidden_layers }, () => ({ window: undefined, rope })),
    };
  },
  block: preNormBlock,
};
