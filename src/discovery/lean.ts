import type { Rows } from "./multiply-rows.ts";

/** The share of the pairs that a lean is made of. */
export const LEAN_SHARE = 0.02;

/**
 * How far the pairs that lie closest to a direction, on either side, lean to its own: the mean cosine of the share of pairs with the largest
 * absolute cosines. Near 1, or -1, where they are close and their chosen sides all on one side; near 0 where nothing is close, or where
 * as many pairs teach the opposite. Pairs without a cosine (NaN) do not count. At least one pair is taken, and all that equal the last.
 *
 * Worked: of cosines 0.9, -0.1, 0.2 and -0.7 the larger half is 0.9 and -0.7, which lean by 0.1.
 */
export function leanOf(cosines: Float32Array, share = LEAN_SHARE): number {
  const sizes = cosines.map(Math.abs).filter((size) => !Number.isNaN(size));
  if (sizes.length === 0) return 0;
  if (share === 1) {
    return cosines.reduce((sum, each) => sum + (Number.isNaN(each) ? 0 : each), 0) / sizes.length;
  }
  const count = Math.max(1, Math.round(share * sizes.length));
  const threshold = sizes.toSorted()[sizes.length - count]!;
  let sum = 0;
  let taken = 0;
  for (const cosine of cosines) {
    if (!(Math.abs(cosine) >= threshold)) continue;
    sum += cosine;
    taken += 1;
  }
  return sum / taken;
}

/** The leans of each column of cosines [pairs, directions], an array [directions] for each share. */
export function leansOf(
  { count, width, values }: Rows,
  shares: readonly number[] = [LEAN_SHARE],
): readonly Float64Array[] {
  const column = new Float32Array(count);
  const leans = shares.map(() => new Float64Array(width));
  for (let k = 0; k < width; k++) {
    for (let i = 0; i < count; i++) column[i] = values[i * width + k]!;
    for (const [s, share] of shares.entries()) leans[s]![k] = leanOf(column, share);
  }
  return leans;
}
