import { ConfigError } from "../../util/errors.ts";
import type { EngineIdentity } from "../engine.ts";

/**
 * Steering: a change of the residual stream at layer ℓ (after ℓ blocks; 0: the embedding output, n: after the last block, before the
 * final norm) at every position that a token is sampled from: the prompt's last one, hence for the first sampled token too, and every
 * sampled one. Earlier positions of the prompt are left as they are.
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
      /** In [0, n]. */
      readonly layer: number;
      /** [D], not zero. */
      readonly direction: Float32Array;
    };

/** Throws ConfigError naming what of a steering does not fit a checkpoint of n blocks and D dimensions. */
export function expectSteering(
  steering: Steering,
  { layerCount, dim }: Pick<EngineIdentity, "layerCount" | "dim">,
): void {
  const { layer, direction } = steering;
  if (!Number.isInteger(layer) || layer < 0 || layer > layerCount) {
    throw new ConfigError(
      `steering.layer: expected a whole number from 0 (embeddings) to ${layerCount} (after the last block), got ${layer}`,
    );
  }
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
  if (steering.kind === "add") expectStrength(steering.strength, direction);
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
