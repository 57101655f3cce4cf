import { z } from "zod";

import { type CommonConfig, type LayerAttention, readLayerTypes } from "./model-config.ts";
import { uniformRope } from "./uniform-attention.ts";

/** Keys by which Qwen checkpoints choose which layers slide. */
export const QWEN_SLIDING_CONFIG = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.number().int().positive().nullish(),
  max_window_layers: z.number().int().nonnegative().nullish(),
  layer_types: z.array(z.string()).nullish(),
} as const;

/** Where config.json is silent. */
const DEFAULT_WINDOW = 4096;
const DEFAULT_MAX_WINDOW_LAYERS = 28;

/** One entry a layer: with `use_sliding_window`, layers from `max_window_layers` on slide. */
export function qwenAttention(
  where: string,
  raw: CommonConfig & z.infer<z.ZodObject<typeof QWEN_SLIDING_CONFIG>>,
): readonly LayerAttention[] {
  const rope = uniformRope(where, raw);
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
