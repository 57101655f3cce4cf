import { ConfigError } from "../util/errors.ts";
import type { CommonConfig } from "./model-config.ts";
import { readRopeScaling } from "./read-rope.ts";
import type { RopeScaling } from "./rope.ts";

/**
 * The rope of families in which the first part of each head turns. `defaults` are what config.json says outside its rope setting,
 * which goes first: base, and the share of a head that turns.
 */
export function partialRope(
  where: string,
  raw: Pick<
    CommonConfig,
    | "rope_scaling"
    | "rope_parameters"
    | "max_position_embeddings"
    | "original_max_position_embeddings"
  >,
  defaults: { readonly headDim: number; readonly theta: number; readonly share: number },
): { readonly rotaryDim: number; readonly rope: RopeScaling } {
  const { partial_rotary_factor: nested, ...setting } = {
    ...(raw.rope_scaling ?? raw.rope_parameters),
  };
  const share = nested ?? defaults.share;
  if (typeof share !== "number" || !(share > 0 && share <= 1)) {
    throw new ConfigError(
      `${where}: "partial_rotary_factor": expected a number above 0 and at most 1, got ${JSON.stringify(share)}`,
    );
  }
  const rotaryDim = Math.floor(defaults.headDim * share);
  if (rotaryDim < 2 || rotaryDim % 2 !== 0) {
    throw new ConfigError(
      `${where}: expected an even number of rotated numbers a head, got ${rotaryDim} of ${defaults.headDim}`,
    );
  }
  const rope = readRopeScaling(where, setting, {
    theta: defaults.theta,
    maxPositions: raw.max_position_embeddings,
    originalMaxPositions: raw.original_max_position_embeddings,
  });
  return { rotaryDim, rope };
}
