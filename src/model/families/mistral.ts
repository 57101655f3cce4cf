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
import { uniformRope } from "../uniform-attention.ts";

const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  sliding_window: z.number().int().positive().nullish(),
  layer_types: z.array(z.string()).nullish(),
};

/** Where config.json is silent. */
const DEFAULT_WINDOW = 4096;

/** Mistral 7B and kin: Llama's block, in the first versions with a sliding window on every layer; Ministral, where some layers slide. */
export const mistral: ModelFamily = {
  ...LLAMA_LIKE,
  name: "mistral",
  modelTypes: ["mistral", "ministral"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    // null says that there is none; transformers gives one where the key is absent.
    const window =
      raw.sliding_window === undefined ? DEFAULT_WINDOW : (raw.sliding_window ?? undefined);
    const types = readLayerTypes(
      where,
      raw.layer_types,
      raw.num_hidden_layers,
      () => window !== undefined,
    );
    if (window === undefined && types.includes("sliding")) {
      throw new UnsupportedError(
        `${where}: "layer_types" has sliding layers, "sliding_window" is null`,
        { hint: "Set sliding_window to what the model was trained with." },
      );
    }
    const rope = uniformRope(where, raw);
    return {
      ...commonModelConfig(where, raw),
      attention: types.map((type) => ({
        window: type === "sliding" ? window : undefined,
        rope,
      })),
    };
  },
};
