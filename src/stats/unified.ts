/**
 * @file Critical values near the end of the range that a parameter can have: the unified approach of Feldman and Cousins (1998). An interval with
 * equal tails holds the truth in 97.5% at such an end, since on one side nothing can be missed. Here acceptance regions are ordered by the likelihood
 * against that of the best value inside the range, so that it is 95% there as well.
 */
import { bisect } from "./root.ts";
import { twoSidedQuantile, twoSidedTail } from "./student-t.ts";

/** How far an estimate may be off the truth, in standard errors. */
export interface CriticalDistances {
  readonly above: number;
  /** Towards the end of the range; Infinity at the end itself. */
  readonly below: number;
}

const LEVEL = 0.05;
const ONE_SIDED = twoSidedQuantile(2 * LEVEL, Infinity);
const TWO_SIDED = twoSidedQuantile(LEVEL, Infinity);
/** Distances are computed once for each of so many steps of a standard error, and interpolated. */
const STEPS = 1000;

/**
 * For a normal estimate of a parameter that is at least 0: how far off a truth at `truth` standard errors from 0 it may be, at a level of 5%. From 1.96 on
 * both distances are 1.96. To 5 digits.
 */
export function unifiedDistances(truth: number): CriticalDistances {
  if (truth >= TWO_SIDED) return { above: TWO_SIDED, below: TWO_SIDED };
  if (truth <= 0) return { above: ONE_SIDED, below: Infinity };
  const step = Math.floor(truth * STEPS);
  const share = truth * STEPS - step;
  const above = (1 - share) * tabulated(step) + share * tabulated(step + 1);
  return { above, below: belowOf(above, truth) };
}

const table: number[] = [];

function tabulated(step: number): number {
  return (table[step] ??= solveAbove(Math.min(TWO_SIDED, step / STEPS)));
}

/** The two tails of the acceptance region are `LEVEL` together. */
function solveAbove(truth: number): number {
  if (truth === 0) return ONE_SIDED;
  const isTooLow = (above: number): boolean =>
    upperTail(above) + upperTail(belowOf(above, truth)) > LEVEL;
  const [low, high] = bisect(isTooLow, ONE_SIDED, TWO_SIDED, 40);
  return (low + high) / 2;
}

/** Both ends have the same ratio of likelihoods; for estimates below 0 that is the likelihood against that of 0. */
function belowOf(above: number, truth: number): number {
  return truth / 2 + (above * above) / (2 * truth);
}

/** How often a standard normal variable lies above z, at least 0. */
function upperTail(z: number): number {
  return twoSidedTail(z, Infinity) / 2;
}
