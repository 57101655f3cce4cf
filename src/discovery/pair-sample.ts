import { findLowNorms } from "../attribution/low-norm.ts";
import type { VectorStore } from "../store/open-store.ts";
import { readStoreVector } from "../store/read-vector.ts";
import { readStoreNorms } from "../store/stream-blocks.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import type { Rng } from "../util/rng.ts";
import type { Rows } from "./multiply-rows.ts";
import { expectSampleFits } from "./sample-size.ts";

/** Which pairs have a direction at all layers: the others are in no sample, cluster or list. */
export interface UsablePairs {
  /** ‖v_d‖ of every pair, [N] for each layer. */
  readonly norms: readonly Float32Array[];
  /** Store rows, rising. */
  readonly rows: readonly number[];
}

/**
 * Pairs whose vector is not too short to have a direction at any of the layers (see findLowNorms). Throws ConfigError where hardly any is
 * left.
 */
export async function usablePairs(
  store: VectorStore,
  layers: readonly number[],
): Promise<UsablePairs> {
  const norms: Float32Array[] = [];
  for (const layer of layers) norms.push(await readStoreNorms(store, layer));
  const low = norms.map((each) => findLowNorms(each, store.manifest).isLow);
  const rows: number[] = [];
  for (let row = 0; row < store.rows; row++) {
    if (low.every((isLow) => isLow[row] === 0)) rows.push(row);
  }
  if (rows.length < MIN_PAIRS) {
    throw new ConfigError(
      `${store.directory}: expected ${MIN_PAIRS} or more pairs whose vectors have a direction, got ${rows.length} of ${store.rows}`,
    );
  }
  return { norms, rows };
}

/** Fewer make no tree that could be cut. */
const MIN_PAIRS = 3;

/** `count` of them by chance, or all where there are no more; rising. */
export function drawRows(rows: readonly number[], count: number, rng: Rng): readonly number[] {
  if (rows.length <= count) return rows;
  return rng
    .shuffle([...rows])
    .slice(0, count)
    .toSorted((a, b) => a - b);
}

/**
 * The vectors of some pairs over several layers as unit rows (see unitDifferences), [picked.length, layers x D]. Throws ConfigError where
 * that is more than is held.
 */
export async function readPairRows(
  store: VectorStore,
  layers: readonly number[],
  picked: readonly number[],
  { signal, progress }: JobOptions,
): Promise<Rows> {
  expectSampleFits(store, layers.length, picked.length);
  const { dim } = store.manifest;
  const width = layers.length * dim;
  const values = new Float32Array(picked.length * width);
  for (const [i, row] of picked.entries()) {
    signal?.throwIfAborted();
    for (const [l, layer] of layers.entries()) {
      const { values: vector, norm } = await readStoreVector(store, layer, row);
      const factor = 1 / (norm * Math.sqrt(layers.length));
      const start = i * width + l * dim;
      for (let j = 0; j < dim; j++) values[start + j] = vector[j]! * factor;
    }
    if (i % 100 === 0) progress?.update(i, picked.length);
  }
  progress?.update(picked.length, picked.length);
  return { count: picked.length, width, values };
}
