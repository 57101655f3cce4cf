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

/** The q with P(|t| > q) = tail; `tail` in (0, 1). */
export function twoSidedQuantile(tail: number, df: number): number {
  const excess = (q: number): number => Math.log(twoSidedTail(q, df) / tail);
  let [low, atLow] = [0, -Math.log(tail)];
  let [high, atHigh] = [2, excess(2)];
  while (atHigh > 0 && high < 1e150)
    [low, atLow, high, atHigh] = [high, atHigh, high * 2, excess(high * 2)];
  // False position; halving the value of an end that stays keeps it from stalling (the Illinois rule).
  let last = 0;
  for (let step = 0; step < 100 && high - low > 1e-13 * high; step++) {
    const middle = low + ((high - low) * atLow) / (atLow - atHigh);
    const value = excess(middle);
    if (value === 0 || middle <= low || middle >= high) return middle;
    if (value > 0) {
      [low, atLow] = [middle, value];
      if (last > 0) atHigh /= 2;
    } else {
      [high, atHigh] = [middle, value];
      if (last < 0) atLow /= 2;
    }
    last = Math.sign(value);
  }
  return (low + high) / 2;
}
