/** @file Two rates over the same prompts: their difference, its p-value, and by how much the one is smaller. */
import { z } from "zod";

import {
  estimateRate,
  isJudged,
  type RateCells,
  type RateEstimate,
  scoreInterval,
  standardErrors,
} from "../stats/clustered-rate.ts";
import { bisect } from "../stats/root.ts";
import { largestLevel, pooledSeedsDf } from "../stats/two-way-variance.ts";
import { countSchema, type Plain } from "../util/artifact.ts";

/** 1 - arm / reference with its 95% interval. */
const rateReductionSchema = z.strictObject({
  value: z.number(),
  /** Undefined where it has no bound: the reference's rate cannot be told from 0. */
  low: z.number().optional(),
  high: z.number(),
});
export type RateReduction = Plain<typeof rateReductionSchema>;

/** An arm's rate against a reference's, over the prompts that both have judged rollouts of. */
export const rateComparisonSchema = z.strictObject({
  prompts: countSchema,
  /** arm - reference, with its 95% interval. */
  difference: z.number(),
  low: z.number(),
  high: z.number(),
  /** Two-sided: the level at which the interval of the difference would just reach 0. */
  p: z.number(),
  /** Undefined where the reference shows the behaviour in no rollout: nothing can be reduced. */
  reduction: rateReductionSchema.optional(),
});
export type RateComparison = Plain<typeof rateComparisonSchema>;

/** Two estimates, and how their errors go together over prompts. */
interface Two {
  readonly prompts: number;
  readonly arm: RateEstimate;
  readonly reference: RateEstimate;
  readonly correlation: number;
}

const LEVEL = 0.05;

/**
 * Compares two rates. The prompts are the same (column p of both), training seeds are not: only prompts correlate the errors. The
 * interval of the difference joins the two rates' own intervals (Newcombe 1998; Donner and Zou 2012), so it keeps their width at 0%
 * and 100%; the ratio's inverts it. Undefined where no prompt has judged rollouts on both sides.
 */
export function compareRates(
  armCells: RateCells,
  referenceCells: RateCells,
): RateComparison | undefined {
  const two = onCommonPrompts(armCells, referenceCells);
  if (two === undefined) return undefined;
  const { reduction: reduced, ...difference } = intervals(two);
  return { ...difference, p: differenceP(two), reduction: reduced };
}

/** The same without the p-value, which takes most of the time. */
export function compareIntervals(
  armCells: RateCells,
  referenceCells: RateCells,
): Omit<RateComparison, "p"> | undefined {
  const two = onCommonPrompts(armCells, referenceCells);
  return two && intervals(two);
}

function intervals(two: Two): Omit<RateComparison, "p"> {
  return {
    prompts: two.prompts,
    difference: two.arm.rate - two.reference.rate,
    ...differenceInterval(two, LEVEL),
    reduction: reduction(two),
  };
}

function onCommonPrompts(armCells: RateCells, referenceCells: RateCells): Two | undefined {
  const common = commonPrompts(armCells, referenceCells);
  const arm = estimateRate(selectPrompts(armCells, common));
  const reference = estimateRate(selectPrompts(referenceCells, common));
  if (arm === undefined || reference === undefined) return undefined;
  return { prompts: common.length, arm, reference, correlation: correlate(arm, reference) };
}

function commonPrompts(a: RateCells, b: RateCells): readonly number[] {
  const common: number[] = [];
  for (let p = 0; p < a.prompts; p++) if (isJudged(a, p) && isJudged(b, p)) common.push(p);
  return common;
}

/** The cells of some prompts, in the order given; a prompt may be given several times. */
export function selectPrompts(cells: RateCells, which: ArrayLike<number>): RateCells {
  const { seeds, prompts } = cells;
  const select = (values: Float64Array): Float64Array => {
    const selected = new Float64Array(seeds * which.length);
    for (let i = 0; i < selected.length; i++) {
      const s = Math.floor(i / which.length);
      selected[i] = values[s * prompts + which[i - s * which.length]!]!;
    }
    return selected;
  };
  return {
    seeds,
    prompts: which.length,
    shows: select(cells.shows),
    judged: select(cells.judged),
  };
}

function correlate(a: RateEstimate, b: RateEstimate): number {
  if (a.variance === 0 || b.variance === 0) return 0;
  const n = a.deviations.length;
  const product = a.deviations.reduce((sum, value, p) => sum + value * b.deviations[p]!, 0);
  const covariance = (product * n) / (n - 1);
  return Math.max(-1, Math.min(1, covariance / Math.sqrt(a.variance * b.variance)));
}

/** Distances from each rate to the ends of its own interval at a level. */
function arms(
  { arm, reference }: Two,
  level: number,
): Record<"a" | "r", { down: number; up: number }> {
  const seedsDf = pooledSeedsDf([arm, reference].flatMap(({ margin }) => margin ?? []));
  const distances = (estimate: RateEstimate): { down: number; up: number } => {
    const { low, high } = scoreInterval(estimate, standardErrors(estimate, level, seedsDf));
    return { down: estimate.rate - low, up: high - estimate.rate };
  };
  return { a: distances(arm), r: distances(reference) };
}

function differenceInterval(two: Two, level: number): { low: number; high: number } {
  const { a, r } = arms(two, level);
  const difference = two.arm.rate - two.reference.rate;
  return {
    low: Math.max(-1, difference - joined(a.down, r.up, two.correlation)),
    high: Math.min(1, difference + joined(a.up, r.down, two.correlation)),
  };
}

function joined(x: number, y: number, correlation: number): number {
  return Math.sqrt(Math.max(0, x * x + y * y - 2 * correlation * x * y));
}

function differenceP(two: Two): number {
  const difference = two.arm.rate - two.reference.rate;
  if (difference === 0) return 1;
  return largestLevel((level) => {
    const { low, high } = differenceInterval(two, level);
    return difference > 0 ? -low : high;
  });
}

function reduction(two: Two): RateReduction | undefined {
  const { arm, reference, correlation } = two;
  if (reference.rate === 0) return undefined;
  const { a, r } = arms(two, LEVEL);
  // The ratios R at which the interval of arm - R * reference has its upper and its lower end at 0.
  const upper = (ratio: number): number =>
    arm.rate - ratio * reference.rate + joined(a.up, ratio * r.down, correlation);
  const lower = (ratio: number): number =>
    arm.rate - ratio * reference.rate - joined(a.down, ratio * r.up, correlation);
  const largest = firstRoot(upper);
  return {
    value: 1 - arm.rate / reference.rate,
    low: largest === Infinity ? undefined : 1 - largest,
    high: 1 - firstRoot(lower),
  };
}

/** Ratios beyond are not told from Infinity. */
const MAX_RATIO = 1e6;

/** Where a function that starts at or above 0 first falls to it; Infinity where it does not. */
function firstRoot(f: (ratio: number) => number): number {
  if (f(0) <= 0) return 0;
  let high = 1e-6;
  while (f(high) > 0) {
    high *= 1.25;
    if (high > MAX_RATIO) return Infinity;
  }
  const [low, end] = bisect((ratio) => f(ratio) > 0, high / 1.25, high, 60);
  return (low + end) / 2;
}
