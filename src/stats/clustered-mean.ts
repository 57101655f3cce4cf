/** @file Means and shares of values that hang together in groups, such as the pairs of one prompt. Groups are the units of every error. */
import { z } from "zod";

import type { Plain } from "../util/artifact.ts";
import {
  estimateRate,
  type RateCells,
  type RateEstimate,
  scoreInterval,
  standardErrors,
} from "./clustered-rate.ts";
import { twoSidedQuantile } from "./student-t.ts";

/** A mean, or a share from 0 to 1, with its 95% interval; no interval where a single group tells nothing of the error. */
export const groupedEstimateSchema = z.strictObject({
  value: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
});
export type GroupedEstimate = Plain<typeof groupedEstimateSchema>;

/**
 * Mean over all values with the interval of Student's t, groups - 1 degrees of freedom: the error is that of the groups' sums of deviations
 * (Liang and Zeger 1986), times G / (G - 1). `groups` has the number of each value's group, from 0; at least one value.
 *
 * Worked: values 1 and 3 in one group, 5 in another have the mean 3; deviations sum to -2 and 2, so the error is √(2 · 8) / 3 = 1.33 and,
 * with t(1) = 12.7, the interval [-13.9, 19.9].
 */
export function clusteredMean(
  values: ArrayLike<number>,
  groups: ArrayLike<number>,
): GroupedEstimate {
  const { value, error, count } = meanAndError(values, groups);
  if (error === undefined) return { value };
  const half = error * twoSidedQuantile(0.05, count - 1);
  return { value, low: value - half, high: value + half };
}

/** The mean with the error of clusteredMean, undefined for a single group, and how many groups there are. Memory: a number for each group. */
export function meanAndError(
  values: ArrayLike<number>,
  groups: ArrayLike<number>,
): { readonly value: number; readonly error: number | undefined; readonly count: number } {
  let sum = 0;
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i]!;
    largest = Math.max(largest, groups[i]!);
  }
  const value = sum / values.length;
  const deviations = new Float64Array(largest + 1);
  const isThere = new Uint8Array(largest + 1);
  for (let i = 0; i < values.length; i++) {
    deviations[groups[i]!]! += values[i]! - value;
    isThere[groups[i]!] = 1;
  }
  const count = isThere.reduce((total, each) => total + each, 0);
  if (count < 2) return { value, error: undefined, count };
  const squares = deviations.reduce((total, each) => total + each * each, 0);
  return { value, error: Math.sqrt((count / (count - 1)) * squares) / values.length, count };
}

/**
 * The share that values of 0, 1/2 and 1 add up to, with the interval of clusteredRate, which keeps a width at 0% and 100%. Arguments as in
 * clusteredMean. Worked: 1, 1, 1 in three groups are 100% [14%, 100%].
 */
export function clusteredShare(
  values: ArrayLike<number>,
  groups: ArrayLike<number>,
): GroupedEstimate {
  const estimate = estimateRate(cellsOf(values, groups))!; // at least one value
  return { value: estimate.rate, ...shareInterval(estimate) };
}

/**
 * How much larger the first of two shares is, with the interval that joins their own (Newcombe 1998, method 10). The groups of the two are
 * different ones. Worked: 56 of 70 and 48 of 80 differ by 0.2 [0.052, 0.334], as in Newcombe's table.
 */
export function shareDifference(a: GroupedEstimate, b: GroupedEstimate): GroupedEstimate {
  const value = a.value - b.value;
  if (a.low === undefined || b.low === undefined) return { value };
  return {
    value,
    low: value - Math.hypot(a.value - a.low, b.high! - b.value),
    high: value + Math.hypot(a.high! - a.value, b.value - b.low),
  };
}

function cellsOf(values: ArrayLike<number>, groups: ArrayLike<number>): RateCells {
  const places = new Map<number, number>();
  const shows: number[] = [];
  const judged: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const place = places.get(groups[i]!) ?? places.size;
    places.set(groups[i]!, place);
    shows[place] = (shows[place] ?? 0) + values[i]!;
    judged[place] = (judged[place] ?? 0) + 1;
  }
  return {
    seeds: 1,
    prompts: places.size,
    shows: Float64Array.from(shows),
    judged: Float64Array.from(judged),
  };
}

const shareInterval = (estimate: RateEstimate): { readonly low: number; readonly high: number } =>
  scoreInterval(estimate, standardErrors(estimate, 0.05));
