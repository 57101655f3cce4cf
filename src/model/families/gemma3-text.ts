import { z } from "zod";

import {
  GEMMA_CONFIG,
  GEMMA_LIKE,
  gemmaBlock,
  type GemmaConfig,
  gemmaModelConfig,
} from "../gemma-like.ts";
import { parseConfig, readLayerTypes } from "../model-config.ts";
import type { ModelFamily } from "../model-family.ts";
import { fullLayerSetting, readRopeScaling } from "../read-rope.ts";
import type { RopeScaling } from "../rope.ts";

const ROPE_SETTING = z.record(z.string(), z.unknown()).nullish();

const SHAPE = {
  ...GEMMA_CONFIG,
  // One setting for each kind of layer.
  rope_parameters: z
    .strictObject({ full_attention: ROPE_SETTING, sliding_attention: ROPE_SETTING })
    .nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  sliding_window_pattern: z.number().int().positive().nullish(),
};

/** Where config.json is silent: bases of the full and of the sliding layers, and a full layer after five sliding ones. */
const DEFAULT_THETA = 1_000_000;
const DEFAULT_LOCAL_THETA = 10_000;
const DEFAULT_PATTERN = 6;

/** Gemma 3's text models: norms on each head's query and key; most layers slide, with a rope of their own that is not scaled. */
export const gemma3Text: ModelFamily<GemmaConfig> = {
  ...GEMMA_LIKE,
  name: "gemma3_text",
  modelTypes: ["gemma3_text"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    const pattern = raw.sliding_window_pattern ?? DEFAULT_PATTERN;
    const types = readLayerTypes(
      where,
      raw.layer_types,
      raw.num_hidden_layers,
      (layer) => (layer + 1) % pattern !== 0,
    );
    const read = (setting: z.infer<typeof ROPE_SETTING>, theta: number): RopeScaling =>
      readRopeScaling(where, setting, { theta, maxPositions: raw.max_position_embeddings });
    const full = read(
      fullLayerSetting(raw.rope_parameters?.full_attention, raw.rope_scaling),
      raw.rope_theta ?? DEFAULT_THETA,
    );
    const sliding = read(
      raw.rope_parameters?.sliding_attention,
      raw.rope_local_base_freq ?? DEFAULT_LOCAL_THETA,
    );
    return {
      ...gemmaModelConfig(where, raw),
      // attn_logit_softcapping is passed over on purpose: transformers takes the key and does not use it.
      logitSoftcap: raw.final_logit_softcapping ?? undefined,
      attention: types.map((type) =>
        type === "full"
          ? { window: undefined, rope: full }
          : { window: raw.sliding_window, rope: sliding },
      ),
    };
  },
  block: (x, layer, model, context) => gemmaBlock(x, layer, model, context, "per-head"),
};
