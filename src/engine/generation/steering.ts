import { ConfigError } from "../../util/errors.ts";
import type { EngineIdentity } from "../engine.ts";

/**
 * Steering: a change of the residual stream at layer ℓ (after ℓ blocks; 0: the embedding output, n: after the last block, before the
 * final norm) at every position that a token is sampled from: the prompt's last one, hence for the first sampled token too, and every
 * sampled one. Earlier positions of the prompt are left as they are. Where directions are projected out at several layers, the blocks
 * between them may write along them anew.
 */
export type Steering =
  | {
      /** x + strength·direction. */
      readonly kind: "add";
      /** In [0, n]. */
      readonly layer: number;
      /** [D], not zero; not normalised. */
      readonly direction: Float32Array;
      /** In lengths of the direction; any finite number, 0 changes nothing. */
      readonly strength: number;
    }
  | {
      /** x − (x·v̂)v̂, v̂ = direction/‖direction‖. */
      readonly kind: "project-out";
      /** By layer in [0, n], at least one; each [D], not zero. The same direction at several layers, or each layer its own. */
      readonly directions: ReadonlyMap<number, Float32Array>;
    };

/** Throws ConfigError naming what of a steering does not fit a checkpoint of n blocks and D dimensions. */
export function expectSteering(
  steering: Steering,
  { layerCount, dim }: Pick<EngineIdentity, "layerCount" | "dim">,
): void {
  const directions = steeredDirections(steering);
  if (directions.size === 0) {
    throw new ConfigError("steering.directions: expected a direction for a layer, got none");
  }
  for (const [layer, direction] of directions) {
    if (!Number.isInteger(layer) || layer < 0 || layer > layerCount) {
      throw new ConfigError(
        `steering.layer: expected a whole number from 0 (embeddings) to ${layerCount} (after the last block), got ${layer}`,
      );
    }
    expectDirection(direction, dim);
  }
  if (steering.kind === "add") expectStrength(steering.strength, steering.direction);
}

/** The directions of a steering by the layer at which each changes the residual stream. */
export const steeredDirections = (steering: Steering): ReadonlyMap<number, Float32Array> =>
  steering.kind === "add" ? new Map([[steering.layer, steering.direction]]) : steering.directions;

function expectDirection(direction: Float32Array, dim: number): void {
  if (direction.length !== dim) {
    throw new ConfigError(
      `steering.direction: expected ${dim} numbers, the width of the residual stream, got ${direction.length}`,
      { hint: "Take a direction that was made with this checkpoint, or one of the same shape." },
    );
  }
  const bad = direction.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new ConfigError(
      `steering.direction[${bad}]: expected a finite number, got ${direction[bad]}`,
      { hint: "Make the direction anew; see culprit behavior." },
    );
  }
  if (direction.every((value) => value === 0)) {
    throw new ConfigError("steering.direction: expected a direction, got zeros", {
      hint: "After and before do not differ at this layer: take another layer.",
    });
  }
}

/** Whether a steering leaves the residual stream as it is. */
export const changesNothing = (steering: Steering): boolean =>
  steering.kind === "add" && steering.strength === 0;

function expectStrength(strength: number, direction: Float32Array): void {
  const longest = direction.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (Number.isFinite(Math.fround(strength * longest))) return;
  throw new ConfigError(
    `steering.strength: expected a finite number whose product with the direction is finite too, got ${strength}`,
    { hint: "Take a smaller strength; it counts in lengths of the direction." },
  );
}
