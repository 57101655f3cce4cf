import { z } from "zod";

import { ConfigError, UnsupportedError } from "../../util/errors.ts";
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
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.number().int().positive().nullish(),
  layer_types: z.array(z.string()).nullish(),
  no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
  no_rope_layer_interval: z.number().int().positive().default(4),
  // Left over from Qwen's config, and read nowhere.
  max_window_layers: z.number().nullish(),
};

const DEFAULT_THETA = 2_000_000;

/** SmolLM3: Llama's block; some layers do not rotate. */
export const smollm3: ModelFamily = {
  ...LLAMA_LIKE,
  name: "smollm3",
  modelTypes: ["smollm3"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    const isRotated = rotatedLayers(where, raw);
    const window = raw.use_sliding_window ? (raw.sliding_window ?? undefined) : undefined;
    const types = readLayerTypes(
      where,
      raw.layer_types,
      raw.num_hidden_layers,
      (layer) => window !== undefined && !isRotated(layer),
    );
    if (window === undefined && types.includes("sliding")) {
      throw new UnsupportedError(
        `${where}: "layer_types" has sliding layers, "use_sliding_window" and "sliding_window" give no window`,
        { hint: "Set both, or make all layers full_attention." },
      );
    }
    const rope = uniformRope(where, { ...raw, rope_theta: raw.rope_theta ?? DEFAULT_THETA });
    return {
      ...commonModelConfig(where, raw),
      hasQkvBias: raw.attention_bias,
      hasOutputBias: raw.attention_bias,
      hasMlpBias: raw.mlp_bias,
      attention: types.map((type, layer) => ({
        window: type === "sliding" ? window : undefined,
        rope: isRotated(layer) ? rope : undefined,
      })),
    };
  },
};

/** 1 in `no_rope_layers` means, in spite of the name, that the layer rotates. */
function rotatedLayers(
  where: string,
  raw: z.infer<z.ZodObject<typeof SHAPE>>,
): (layer: number) => boolean {
  const { no_rope_layers: marks, no_rope_layer_interval: interval, num_hidden_layers } = raw;
  if (marks === null || marks === undefined) return (layer) => (layer + 1) % interval !== 0;
  if (marks.length < num_hidden_layers) {
    throw new ConfigError(
      `${where}: "no_rope_layers" has ${marks.length} entries, "num_hidden_layers" is ${num_hidden_layers}`,
    );
  }
  return (layer) => marks[layer] === 1;
}
