import { incompleteBeta } from "./beta.ts";

/**
 * How often a Student t variable lies beyond ±q: two-sided, 1 at q = 0. `df` above 0, not necessarily whole; Infinity is the
 * standard normal.
 */
export function twoSidedTail(q: number, df: number): number {
  // Beyond this many degrees of freedom the two distributions agree to seven digits, and the beta function loses as many.
  const finite = Math.min(df, 1e6);
  return q === 0 ? 1 : incompleteBeta(finite / (finite + q * q), finite / 2, 0.5);
}

/** The q with P(|t| > q) = tail, by bisection; `tail` in (0, 1). */
export function twoSidedQuantile(tail: number, df: number): number {
  let low = 0;
  let high = 2;
  while (twoSidedTail(high, df) > tail && high < 1e150) high *= 2;
  for (let step = 0; step < 200 && high - low > 1e-12 * high; step++) {
    const middle = (low + high) / 2;
    if (twoSidedTail(middle, df) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
