import type { z } from "zod";

import type { COMMON_CONFIG, LayerAttention } from "./model-config.ts";
import { readRopeScaling } from "./rope.ts";

/** Where config.json is silent. */
const DEFAULT_THETA = 10_000;

/** One entry a layer, all alike: the config's one rope setting and one window (undefined: none). */
export function uniformAttention(
  where: string,
  raw: z.infer<z.ZodObject<typeof COMMON_CONFIG>>,
  window: number | undefined,
): readonly LayerAttention[] {
  const rope = readRopeScaling(where, raw.rope_scaling ?? raw.rope_parameters, {
    theta: raw.rope_theta ?? DEFAULT_THETA,
    maxPositions: raw.max_position_embeddings,
  });
  return Array.from({ length: raw.num_hidden_layers }, () => ({ window, rope }));
}
