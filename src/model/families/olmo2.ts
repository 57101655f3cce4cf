import { z } from "zod";

import { COMMON_CONFIG, commonModelConfig, NEUTRAL_CONFIG, parseConfig } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { postNormBlock } from "../post-norm-block.ts";
import { readRopeScaling } from "../rope.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  attention_bias: z.boolean().default(false),
};

/** Where config.json is silent. */
const DEFAULT_THETA = 10_000;

/** OLMo 2. */
export const olmo2: ModelFamily = {
  name: "olmo2",
  modelTypes: ["olmo2"],
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
      hasMlpBias: false,
      attention: Array.from({ length: raw.num_hidden_layers }, () => ({ window: undefined, rope })),
    };
  },
  block: postNormBlock,
};
