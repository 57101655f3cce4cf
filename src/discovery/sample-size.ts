/** @file How many pairs may be sampled: their vectors are held over all layers at once. */
import type { VectorStore } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";

/** Of vectors that are held: 50,000 pairs at one layer of 4096 dimensions, 1,515 at 33 of them. */
const MAX_BYTES = 50_000 * 4096 * 4;
/** Where nothing else is asked for. */
export const TEST_PAIRS = 10_000;
export const MATRIX_PAIRS = 500;

/** What vectors take memory by. */
export type StoreSize = Pick<VectorStore, "rows"> & {
  readonly manifest: Pick<VectorStore["manifest"], "dim">;
};

/** How many pairs clusters are tested on, and how many of these are clustered. */
export interface SampleSize {
  readonly testPairs: number;
  readonly matrixPairs: number;
  /** That the default was more than is held; undefined where it was not, or where a number was asked for. */
  readonly note: string | undefined;
}

/**
 * Numbers that were asked for, which are refused where they do not fit; else the defaults, or as many as fit. Throws ConfigError naming
 * the setting.
 */
export function chooseSampleSize(
  store: StoreSize,
  layers: number,
  asked: { readonly testPairs?: number | undefined; readonly matrixPairs?: number | undefined },
): SampleSize {
  const { testPairs = Math.min(TEST_PAIRS, mostPairs(store, layers)) } = asked;
  expectSampleFits(store, layers, testPairs);
  const { matrixPairs = Math.min(MATRIX_PAIRS, testPairs) } = asked;
  if (matrixPairs > testPairs) {
    throw new ConfigError(
      `matrixPairs: expected at most the ${testPairs} pairs that are sampled at ${layersOf(store, layers)}, got ${matrixPairs}`,
      { hint: "Set fewer matrixPairs, or fewer layers." },
    );
  }
  const isLowered = asked.testPairs === undefined && testPairs < Math.min(TEST_PAIRS, store.rows);
  const note = `clusters are tested on ${testPairs} pairs, not ${TEST_PAIRS}: at ${layersOf(store, layers)} no more are held (${megabytes(store, layers, testPairs)} MB); fewer layers hold more`;
  return { testPairs, matrixPairs, note: isLowered ? note : undefined };
}

/** Throws ConfigError where the vectors of so many pairs, or of all where the store has fewer, are more than is held. */
export function expectSampleFits(store: StoreSize, layers: number, testPairs: number): void {
  const most = mostPairs(store, layers);
  const wanted = Math.min(testPairs, store.rows);
  if (wanted <= most) return;
  throw new ConfigError(
    `testPairs: expected at most ${most} pairs at ${layersOf(store, layers)} (${megabytes(store, layers, most)} MB of vectors), got ${wanted} (${megabytes(store, layers, wanted)} MB)`,
    { hint: "Set fewer testPairs, or fewer layers." },
  );
}

const mostPairs = (store: StoreSize, layers: number): number =>
  Math.floor(MAX_BYTES / bytes(store, layers, 1));

const bytes = ({ manifest }: StoreSize, layers: number, pairs: number): number =>
  pairs * layers * manifest.dim * 4;

const megabytes = (store: StoreSize, layers: number, pairs: number): number =>
  Math.round(bytes(store, layers, pairs) / 1e6);

const layersOf = ({ manifest: { dim } }: StoreSize, layers: number): string =>
  `${layers} ${layers === 1 ? "layer" : "layers"} of ${dim} dimensions`;
