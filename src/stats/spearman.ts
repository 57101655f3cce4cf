import { z } from "zod";

import { ascendingKeys, radixOrder } from "../util/radix-order.ts";

export const correlationSchema = z.strictObject({
  r: z.number(),
  low: z.number(),
  high: z.number(),
  n: z.int(),
});

/** A correlation with its 95% interval. */
export type Correlation = z.output<typeof correlationSchema>;

/** The 97.5% quantile of the standard normal. */
const Z = 1.959963984540054;
/** The interval needs n - 3 > 0. */
const MIN_POINTS = 4;

/**
 * Spearman's rank correlation, ties sharing their average rank; undefined for fewer than 4 points or where one side is constant.
 * The interval is Fisher's z with the standard error sqrt((1 + r²/2) / (n - 3)) of Bonett and Wright (2000), since the
 * 1/sqrt(n - 3) of Pearson's correlation is too narrow for ranks. Where all ranks agree, or all are reversed, Fisher's z is infinite and
 * would give an interval of no width: its other end is that of the next smaller correlation, which one exchange of neighbours gives. Both
 * sides are finite and of one length.
 *
 * Worked: of 20 points whose ranks agree r is 1, and the interval that of 1 − 12/(20·399) = 0.9985 up to 1: [0.9952, 1].
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): Correlation | undefined {
  return correlateRanks(averageRanks(x), averageRanks(y));
}

/** Spearman's correlation of values whose average ranks are known already. */
export function correlateRanks(x: Float64Array, y: Float64Array): Correlation | undefined {
  const n = x.length;
  if (y.length !== n) throw new Error(`internal: ${n} and ${y.length} values to correlate`);
  if (n < MIN_POINTS) return undefined;
  const mean = (n + 1) / 2; // ranks add up to n (n + 1) / 2, ties or not
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < n; i++) {
    const dx = x[i]! - mean;
    const dy = y[i]! - mean;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (xx === 0 || yy === 0) return undefined;
  const r = Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
  const half = Z * Math.sqrt((1 + (r * r) / 2) / (n - 3));
  const next = 1 - 12 / (n * (n * n - 1));
  const fisher = Math.atanh(Math.max(-next, Math.min(next, r)));
  return {
    r,
    low: r === -1 ? -1 : Math.tanh(fisher - half),
    high: r === 1 ? 1 : Math.tanh(fisher + half),
    n,
  };
}

/** Ranks from 1 upwards; equal values share the mean of their ranks. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = ascendingOrder(values);
  const ranks = new Float64Array(order.length);
  for (let first = 0, end = 0; first < order.length; first = end) {
    const value = values[order[first]!]!;
    end = first + 1;
    while (end < order.length && values[order[end]!] === value) end++;
    const rank = (first + 1 + end) / 2;
    for (let i = first; i < end; i++) ranks[order[i]!] = rank;
  }
  return ranks;
}

/** The places of the values from the smallest to the largest, [N]; ten times faster where single precision holds them all. */
function ascendingOrder(values: ArrayLike<number>): Uint32Array {
  const singles = Float32Array.from(values);
  if (singles.every((single, i) => single === values[i])) return radixOrder(ascendingKeys(singles));
  return Uint32Array.from(singles.keys()).toSorted((a, b) => values[a]! - values[b]!);
}
