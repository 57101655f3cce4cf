/**
 * @file The rate of a behaviour over rollouts that hang together: those of one prompt do, and so do those of one training seed.
 * S seeds × P prompts.
 */
import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import { twoSidedQuantile } from "./student-t.ts";
import { halfWidth, type MarginParts, twoWayVariance } from "./two-way-variance.ts";

/** Counts of every seed and prompt, [S, P] row by row; the prompts are the same for all seeds. */
export interface RateCells {
  readonly seeds: number;
  readonly prompts: number;
  /** Judged rollouts that show the behaviour. */
  readonly shows: Float64Array;
  /** Judged rollouts. */
  readonly judged: Float64Array;
}

/** A rate and what is known of its error. */
export const clusteredRateSchema = z.strictObject({
  shows: countSchema,
  judged: countSchema,
  /** Prompts with a judged rollout. */
  prompts: countSchema,
  seeds: countSchema,
  /** shows / judged; undefined where nothing was judged. */
  rate: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
  /** Independent rollouts that would give the same standard error. */
  effective: z.number(),
});
export type ClusteredRate = Plain<typeof clusteredRateSchema>;

/** The estimate without its interval; `deviations` is what the error of differences is computed from. */
export interface RateEstimate {
  readonly rate: number;
  /** Of the rate, over prompts and seeds; 0 where every rollout is alike. */
  readonly variance: number;
  /** Independent rollouts with that variance; the prompts where it is 0. */
  readonly effective: number;
  /** Of the variance; undefined where that is 0. */
  readonly margin: MarginParts | undefined;
  /** What each prompt adds to the rate's error, [P]; sums to 0. */
  readonly deviations: Float64Array;
}

/**
 * The rate with its 95% interval: Wilson's, with the number of independent rollouts that have the same variance over prompts and
 * seeds, and as many standard errors to either side as halfWidth says. With one seed only prompts vary. At 0% and 100%, where nothing tells how far the
 * rollouts of a prompt hang together, each prompt counts once.
 */
export function clusteredRate(cells: RateCells): ClusteredRate {
  const judged = sum(cells.judged);
  const counts = {
    shows: sum(cells.shows),
    judged,
    prompts: judgedPrompts(cells),
    seeds: cells.seeds,
  };
  const estimate = estimateRate(cells);
  if (estimate === undefined) {
    return { ...counts, rate: undefined, low: undefined, high: undefined, effective: 0 };
  }
  const { rate, effective } = estimate;
  const { low, high } = scoreInterval(estimate, standardErrors(estimate, 0.05));
  return { ...counts, rate, low, high, effective };
}

/** The interval of a rate that leaves out `level`; everything where nothing was judged. */
export function rateInterval(
  cells: RateCells,
  level: number,
): { readonly low: number; readonly high: number } {
  const estimate = estimateRate(cells);
  return estimate === undefined
    ? { low: 0, high: 1 }
    : scoreInterval(estimate, standardErrors(estimate, level));
}

/**
 * How many standard errors an interval that leaves out `level` has to either side. `seedsDf` replaces the degrees of freedom that what seeds
 * add is known by.
 */
export function standardErrors(
  { variance, effective, margin }: RateEstimate,
  level: number,
  seedsDf?: number,
): number {
  if (margin === undefined) return twoSidedQuantile(level, Math.max(1, effective - 1));
  const parts = seedsDf === undefined ? margin : { ...margin, seedsDf };
  return halfWidth(parts, level) / Math.sqrt(variance);
}

/** Wilson's interval with `q` standard errors to either side. */
export function scoreInterval(
  { rate, effective }: Pick<RateEstimate, "rate" | "effective">,
  q: number,
): { readonly low: number; readonly high: number } {
  const scale = 1 + (q * q) / effective;
  const centre = rate + (q * q) / (2 * effective);
  const half =
    q * Math.sqrt((rate * (1 - rate)) / effective + (q * q) / (4 * effective * effective));
  return {
    low: rate === 0 ? 0 : Math.max(0, (centre - half) / scale),
    high: rate === 1 ? 1 : Math.min(1, (centre + half) / scale),
  };
}

/** The rate and its variance; undefined where nothing was judged. */
export function estimateRate(cells: RateCells): RateEstimate | undefined {
  const { seeds, prompts, shows, judged } = cells;
  const total = sum(judged);
  if (total === 0) return undefined;
  const rate = sum(shows) / total;
  // Each cell's share of the error of the ratio, scaled so that their mean is that error.
  const scale = (seeds * prompts) / total;
  const errors = shows.map((count, i) => (count - rate * judged[i]!) * scale);
  const { variance, margin, byPrompt } = twoWayVariance(errors, seeds, (deviations) =>
    promptsDf(cells, deviations, rate),
  );
  const counted = judgedPrompts(cells);
  const deviations = byPrompt.map((value) => value / prompts);
  if (variance === 0) {
    return { rate, variance, effective: counted, margin: undefined, deviations };
  }
  const effective = Math.min(total, (rate * (1 - rate)) / variance);
  return { rate, variance, effective, margin, deviations };
}

/**
 * Degrees of freedom of the variance over prompts: P - 1 if the prompts' errors were normal, less where a few prompts hold most of the
 * variance. What Wilson's interval allows for anyway, that only k prompts deviate (equally), does not count.
 */
function promptsDf(cells: RateCells, byPrompt: Float64Array, rate: number): number {
  const { prompts, seeds, shows, judged } = cells;
  let rare = 0;
  for (let p = 0; p < prompts; p++) {
    let isRare = false;
    for (let s = 0; s < seeds; s++) {
      const i = s * prompts + p;
      if (rate < 0.5 ? shows[i]! > 0 : shows[i]! < judged[i]!) isRare = true;
    }
    if (isRare) rare++;
  }
  const squares = sum(byPrompt.map((value) => value ** 2));
  const fourths = sum(byPrompt.map((value) => value ** 4));
  const spread = fourths / (squares * squares) - 1 / rare;
  return Math.max(1, spread > 0 ? Math.min(prompts - 1, 2 / spread) : prompts - 1);
}

function judgedPrompts(cells: RateCells): number {
  let count = 0;
  for (let p = 0; p < cells.prompts; p++) if (isJudged(cells, p)) count++;
  return count;
}

/** Whether any seed has a judged rollout of prompt number `p`. */
export function isJudged({ seeds, prompts, judged }: RateCells, p: number): boolean {
  for (let s = 0; s < seeds; s++) if (judged[s * prompts + p]! > 0) return true;
  return false;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
