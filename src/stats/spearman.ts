import { z } from "zod";

import { firstIndex } from "../util/first-index.ts";

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
  const ascending = Float64Array.from(values).toSorted();
  return Float64Array.from(values, (value) => {
    const first = firstIndex(ascending, (other) => other >= value);
    const end = firstIndex(ascending, (other) => other > value);
    return (first + 1 + end) / 2;
  });
}
