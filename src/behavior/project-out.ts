import { ConfigError, RuntimeError } from "../util/errors.ts";
import { dot, norm } from "../util/vector.ts";
import type { ResponseActivations } from "./activations.ts";
import { meanDifference } from "./mean-difference.ts";

/** A direction that a behaviour should not consist of, such as refusal or length, per layer [D]. */
export interface Nuisance {
  readonly name: string;
  readonly directions: ReadonlyMap<number, Float32Array>;
}

/** What projectOut took away. */
export interface RemovedDirections {
  readonly names: readonly string[];
  /** Per layer: orthonormal vectors [D] that span the nuisance directions. */
  readonly basis: ReadonlyMap<number, readonly Float64Array[]>;
  /** Per layer: the share of the squared length of the mean difference (every pair equal) that lay in them. */
  readonly shares: ReadonlyMap<number, number>;
}

/** A remainder of a difference in single precision below this share of its length is rounding. */
const ROUNDING_SHARE = 1e-5;

/**
 * Takes the nuisance directions out of every activation, so that whatever is computed from them is orthogonal to all of these:
 * vectors, banks, nulls and the figures about them. The lengths of the before-activations stay as they were. Throws ConfigError
 * where a nuisance lacks a layer, RuntimeError where nothing of the mean difference remains.
 */
export function projectOut(
  activations: ResponseActivations,
  nuisances: readonly Nuisance[],
): ResponseActivations {
  const basis = new Map<number, Float64Array[]>();
  const shares = new Map<number, number>();
  const differences = new Map<number, Float32Array>();
  const before = new Map<number, Float32Array>();
  for (const layer of activations.layers) {
    const vectors = orthonormalise(nuisances.map((nuisance) => directionAt(nuisance, layer)));
    basis.set(layer, vectors);
    differences.set(layer, projectRows(activations.differences.get(layer)!, vectors));
    before.set(layer, projectRows(activations.before.get(layer)!, vectors));
    shares.set(
      layer,
      removedShare(activations.differences.get(layer)!, vectors, { layer, nuisances }),
    );
  }
  const names = nuisances.map(({ name }) => name);
  return { ...activations, differences, before, removed: { names, basis, shares } };
}

/** The vector less its components along orthonormal vectors, in place. */
export function removeComponents<T extends Float32Array | Float64Array>(
  vector: T,
  basis: readonly Float64Array[],
): T {
  for (const axis of basis) {
    const along = dot(axis, vector);
    for (let j = 0; j < vector.length; j++) vector[j]! -= along * axis[j]!;
  }
  return vector;
}

/** Gram and Schmidt, twice for accuracy; directions that others span are left out. */
function orthonormalise(directions: readonly Float32Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const direction of directions) {
    const axis = Float64Array.from(direction);
    const length = norm(axis);
    removeComponents(removeComponents(axis, basis), basis);
    const left = norm(axis);
    if (left > ROUNDING_SHARE * length) basis.push(axis.map((value) => value / left));
  }
  return basis;
}

function projectRows(rows: Float32Array, basis: readonly Float64Array[]): Float32Array {
  const dim = basis[0]?.length;
  if (dim === undefined) return rows;
  const projected = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += dim) {
    const row = Float64Array.from(rows.subarray(from, from + dim));
    projected.set(removeComponents(row, basis), from);
  }
  return projected;
}

function removedShare(
  differences: Float32Array,
  basis: readonly Float64Array[],
  { layer, nuisances }: { readonly layer: number; readonly nuisances: readonly Nuisance[] },
): number {
  const dim = basis[0]?.length;
  if (dim === undefined) return 0;
  const mean = Float64Array.from(
    meanDifference(differences, new Float64Array(differences.length / dim).fill(1)),
  );
  const whole = norm(mean);
  const left = norm(removeComponents(mean, basis));
  if (left > ROUNDING_SHARE * whole) return 1 - (left / whole) ** 2;
  const names = nuisances.map(({ name }) => name).join(", ");
  throw new RuntimeError(
    `layer ${layer}: nothing is left of the behaviour vector without ${names}`,
    { hint: "The behaviour is the same direction as what is projected out; leave it in." },
  );
}

function directionAt({ name, directions }: Nuisance, layer: number): Float32Array {
  const direction = directions.get(layer);
  if (direction !== undefined) return direction;
  throw new ConfigError(
    `orthogonal to "${name}": expected layer ${layer}, got ${[...directions.keys()].join(", ")}`,
    { hint: "Make that behaviour at the same layers, or ask for fewer layers here." },
  );
}
