import { z } from "zod";

import { UnsupportedError } from "../../util/errors.ts";
import { LLAMA_LIKE } from "../llama-like.ts";
import {
  COMMON_CONFIG,
  commonModelConfig,
  NEUTRAL_CONFIG,
  parseConfig,
  readLayerTypes,
} from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { postNormBlock } from "../post-norm-block.ts";
import { fullLayerSetting, readRopeScaling } from "../read-rope.ts";

const ROPE_SETTING = z.record(z.string(), z.unknown()).nullish();

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  attention_bias: z.boolean().default(false),
  sliding_window: z.number().int().positive().nullish(),
  layer_types: z.array(z.string()).nullish(),
  // One setting for each kind of layer, unlike in the other families.
  rope_parameters: z
    .strictObject({ full_attention: ROPE_SETTING, sliding_attention: ROPE_SETTING })
    .nullish(),
};

const DEFAULT_THETA = 500_000;
/** Where config.json is silent: three sliding layers, then a full one, with this window. */
const DEFAULT_PATTERN = 4;
const DEFAULT_WINDOW = 4096;

/** OLMo 3: OLMo 2's block; most layers see a sliding window, and rope scaling applies to the full layers only. */
export const olmo3: ModelFamily = {
  ...LLAMA_LIKE,
  name: "olmo3",
  modelTypes: ["olmo3"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    const types = readLayerTypes(
      where,
      raw.layer_types,
      raw.num_hidden_layers,
      (layer) => (layer + 1) % DEFAULT_PATTERN !== 0,
    );
    if (
      raw.rope_theta !== undefined &&
      raw.rope_theta !== null &&
      raw.rope_theta !== DEFAULT_THETA
    ) {
      // transformers gives it to the full layers only, the older releases gave it to all.
      throw new UnsupportedError(
        `${where}: "rope_theta" ${raw.rope_theta} is ambiguous for olmo3, whose sliding layers have a base of their own`,
        { hint: "Write it as rope_parameters.full_attention and .sliding_attention." },
      );
    }
    const read = (setting: z.infer<typeof ROPE_SETTING>): ReturnType<typeof readRopeScaling> =>
      readRopeScaling(where, setting, {
        theta: raw.rope_theta ?? DEFAULT_THETA,
        maxPositions: raw.max_position_embeddings,
      });
    const full = read(fullLayerSetting(raw.rope_parameters?.full_attention, raw.rope_scaling));
    const sliding = read(raw.rope_parameters?.sliding_attention);
    const window = raw.sliding_window ?? DEFAULT_WINDOW;
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      attention: types.map((type) =>
        type === "full" ? { window: undefined, rope: full } : { window, rope: sliding },
      ),
    };
  },
  block: postNormBlock,
};
