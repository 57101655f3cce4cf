import type { StoreDtype } from "../store/vector-store-manifest.ts";

/** Pairs whose vector is too short to have a direction. */
export interface LowNorm {
  /** A pair is marked where its ‖v_d‖ is below this. */
  readonly threshold: number;
  readonly median: number;
  /** [N], 1 where marked. */
  readonly isLow: Uint8Array;
  readonly count: number;
  /** Of these, vectors of length zero, which have no cosine at all. */
  readonly zero: number;
}

/**
 * A pair that moves the mean activation twenty times less than the median pair does. Its two responses are nearly the same, and
 * what differs between their means is mostly which few tokens differ, not how the responses answer.
 */
export const LOW_NORM_SHARE = 0.05;
/** Rounding to the store's dtype may turn a vector by at most about a hundredth of a radian. */
const MAX_ROUNDING_SHARE = 0.01;

/**
 * Marks vectors whose direction says little: shorter than `share` of the median length (zero vectors aside), or so short that
 * rounding to the store's dtype alone could turn them by more than about 0.01 radian. `norms` are lengths before rounding, [N].
 */
export function findLowNorms(
  norms: Float32Array,
  stored: { readonly dtype: StoreDtype; readonly dim: number },
  share = LOW_NORM_SHARE,
): LowNorm {
  let zero = 0;
  for (const norm of norms) if (norm === 0) zero++;
  const median = positiveMedian(norms, zero);
  const threshold = Math.max(share * median, roundingNorm(stored) / MAX_ROUNDING_SHARE);
  const isLow = new Uint8Array(norms.length);
  let count = 0;
  for (let row = 0; row < norms.length; row++) {
    if (!(norms[row]! < threshold)) continue;
    isLow[row] = 1;
    count++;
  }
  return { threshold, median, isLow, count, zero };
}

/** The median of the values past the `zero` smallest, none of them negative; 0 where there are none. */
function positiveMedian(values: Float32Array, zero: number): number {
  const count = values.length - zero;
  if (count === 0) return 0;
  const upper = nthSmallest(values, zero + (count >> 1));
  return count % 2 === 1 ? upper : (nthSmallest(values, zero + (count >> 1) - 1) + upper) / 2;
}

/** The n-th smallest, from 0, of floats that are not negative: these sort like their bits. Ten times faster than sorting. */
function nthSmallest(values: Float32Array, n: number): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const high = new Uint32Array(2 ** 16);
  for (const word of bits) high[word >>> 16]!++;
  const [top, before] = findBin(high, n);
  const low = new Uint32Array(2 ** 16);
  for (const word of bits) if (word >>> 16 === top) low[word & 0xffff]!++;
  const [bottom] = findBin(low, n - before);
  return new Float32Array(Uint32Array.of(((top << 16) | bottom) >>> 0).buffer)[0]!;
}

/** The bin that holds the n-th counted value, and how many values lie in the bins before it. */
function findBin(counts: Uint32Array, n: number): [bin: number, before: number] {
  let before = 0;
  for (const [bin, count] of counts.entries()) {
    if (n < before + count) return [bin, before];
    before += count;
  }
  throw new Error("internal: fewer values than asked for");
}

/** The expected length of the rounding error of a vector so short that its elements are subnormal. */
function roundingNorm({ dtype, dim }: { dtype: StoreDtype; dim: number }): number {
  // Subnormals are spaced evenly, 2^-24 (half) or 2^-149 (single) apart: the error is uniform within half a step.
  const step = dtype === "F16" ? 2 ** -24 : 2 ** -149;
  return step * Math.sqrt(dim / 12);
}
