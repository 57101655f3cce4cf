import { betaQuantile } from "./beta.ts";

/** Half of what a 95% interval leaves out. */
const TAIL = 0.025;

/**
 * The exact 95% interval of a proportion, `count` of `of` (Clopper and Pearson 1934): at most 2.5% beyond either end whatever the
 * proportion, also for a handful of trials. `of` at least 1.
 */
export function clopperPearson(
  count: number,
  of: number,
): { readonly low: number; readonly high: number } {
  return {
    low: count === 0 ? 0 : betaQuantile(TAIL, count, of - count + 1),
    high: count === of ? 1 : betaQuantile(1 - TAIL, count + 1, of - count),
  };
}
