import type { CommonConfig, LayerAttention } from "./model-config.ts";
import { readRopeScaling } from "./read-rope.ts";
import type { RopeScaling } from "./rope.ts";

/** Where config.json is silent. */
const DEFAULT_THETA = 10_000;

/** One entry a layer, all alike: the config's one rope setting and one window (undefined: none). */
export function uniformAttention(
  where: string,
  raw: CommonConfig,
  window: number | undefined,
): readonly LayerAttention[] {
  const rope = uniformRope(where, raw);
  return Array.from({ length: raw.num_hidden_layers }, () => ({ window, rope }));
}

/** The one rope setting of a config. */
export function uniformRope(where: string, raw: CommonConfig): RopeScaling {
  return readRopeScaling(where, raw.rope_scaling ?? raw.rope_parameters, {
    theta: raw.rope_theta ?? DEFAULT_THETA,
    maxPositions: raw.max_position_embeddings,
    originalMaxPositions: raw.original_max_position_embeddings,
  });
}
