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
  const ascending = norms.toSorted();
  let zero = 0;
  while (zero < ascending.length && ascending[zero] === 0) zero++;
  const median = middle(ascending.subarray(zero));
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

/** The median of ascending values, 0 where there are none. */
function middle(ascending: Float32Array): number {
  const half = ascending.length >> 1;
  const upper = ascending[half] ?? 0;
  return ascending.length % 2 === 1 ? upper : (upper + (ascending[half - 1] ?? 0)) / 2;
}

/** The expected length of the rounding error of a vector so short that its elements are subnormal. */
function roundingNorm({ dtype, dim }: { dtype: StoreDtype; dim: number }): number {
  // Subnormals are spaced evenly, 2^-24 (half) or 2^-149 (single) apart: the error is uniform within half a step.
  const step = dtype === "F16" ? 2 ** -24 : 2 ** -149;
  return step * Math.sqrt(dim / 12);
}
