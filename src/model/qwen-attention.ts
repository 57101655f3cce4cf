import { z } from "zod";

import { type COMMON_CONFIG, type LayerAttention, readLayerTypes } from "./model-config.ts";
import { readRopeScaling } from "./rope.ts";

/** Keys by which Qwen checkpoints choose which layers slide. */
export const QWEN_SLIDING_CONFIG = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.number().int().positive().nullish(),
  max_window_layers: z.number().int().nonnegative().nullish(),
  layer_types: z.array(z.string()).nullish(),
} as const;

/** Where config.json is silent. */
const DEFAULT_THETA = 10_000;
const DEFAULT_WINDOW = 4096;
const DEFAULT_MAX_WINDOW_LAYERS = 28;

/** One entry a layer: with `use_sliding_window`, layers from `max_window_layers` on slide. */
export function qwenAttention(
  where: string,
  raw: z.infer<z.ZodObject<typeof COMMON_CONFIG & typeof QWEN_SLIDING_CONFIG>>,
): readonly LayerAttention[] {
  const rope = readRopeScaling(where, raw.rope_scaling ?? raw.rope_parameters, {
    theta: raw.rope_theta ?? DEFAULT_THETA,
    maxPositions: raw.max_position_embeddings,
  });
  const firstSliding = raw.max_window_layers ?? DEFAULT_MAX_WINDOW_LAYERS;
  const window = raw.use_sliding_window ? (raw.sliding_window ?? DEFAULT_WINDOW) : undefined;
  const types = readLayerTypes(
    where,
    raw.layer_types,
    raw.num_hidden_layers,
    (layer) => window !== undefined && layer >= firstSliding,
  );
  return types.map((type) => ({ window: type === "sliding" ? window : undefined, rope }));
}
