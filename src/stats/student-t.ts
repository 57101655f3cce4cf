import { incompleteBeta } from "./beta.ts";
import { fallingRoot, type Sample } from "./root.ts";

/**
 * How often a Student t variable lies beyond ±q: two-sided, 1 at q = 0. `df` above 0, not necessarily whole; Infinity is the
 * standard normal.
 */
export function twoSidedTail(q: number, df: number): number {
  // Beyond this many degrees of freedom the two distributions agree to seven digits, and the beta function loses as many.
  const finite = Math.min(df, 1e6);
  return q === 0 ? 1 : incompleteBeta(finite / (finite + q * q), finite / 2, 0.5);
}

/** The q with P(|t| > q) = tail; `tail` in (0, 1). */
export function twoSidedQuantile(tail: number, df: number): number {
  const excess = (q: number): number => Math.log(twoSidedTail(q, df) / tail);
  let low: Sample = [0, -Math.log(tail)];
  let high: Sample = [2, excess(2)];
  while (high[1] > 0 && high[0] < 1e150) {
    low = high;
    high = [high[0] * 2, excess(high[0] * 2)];
  }
  return fallingRoot(excess, low, high, { tolerance: (end) => 1e-13 * end, stopsAtEnds: true });
}
