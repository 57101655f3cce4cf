/** @file How good predictions of numbers are: variance explained, signs, calibration. n predictions. */
import { z } from "zod";

import type { Plain } from "../util/artifact.ts";
import type { Rng } from "../util/rng.ts";
import { meanOf } from "../util/vector.ts";
import { drawTimes } from "./cluster-bootstrap.ts";
import { quantile } from "./quantile.ts";
import { twoSidedQuantile } from "./student-t.ts";
import { shareSchema, wilsonShare } from "./wilson.ts";

const estimateSchema = z.strictObject({
  value: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
});

export const predictionQualitySchema = z.strictObject({
  /** 1 − Σ (y − ŷ)² / Σ (y − mean of y)²; undefined where all y are the same. */
  r2: estimateSchema.optional(),
  /** Predictions that have the sign of what was observed; 0 has none. */
  signs: shareSchema,
  /** Of the line observed = intercept + slope · predicted: 1 and 0 where calibrated; undefined where all predictions are the same. */
  slope: estimateSchema.optional(),
  intercept: estimateSchema.optional(),
});
export type PredictionQuality = Plain<typeof predictionQualitySchema>;

export interface QualityOptions {
  readonly rng: Rng;
  readonly replicates: number;
}

/**
 * R² with a 95% percentile interval from resampling the predictions, signs with Wilson's, calibration with Student's t (ordinary least squares). Both lists
 * have one length, at least 1. Worked: predicted (1, 2, 3), observed (1, 3, 2): R² = 1 − 2/2 = 0, signs 3 of 3, slope 0.5, intercept 1.
 */
export function predictionQuality(
  predicted: readonly number[],
  observed: readonly number[],
  { rng, replicates }: QualityOptions,
): PredictionQuality {
  const r2 = explained(predicted, observed);
  const samples = resample(observed.length, { rng, replicates }, (picked) =>
    explained(pick(predicted, picked), pick(observed, picked)),
  );
  const hits = predicted.filter(
    (value, i) => value !== 0 && Math.sign(value) === Math.sign(observed[i]!),
  );
  return {
    r2: r2 === undefined ? undefined : { value: r2, ...interval(samples) },
    signs: wilsonShare(hits.length, predicted.length),
    ...calibration(predicted, observed),
  };
}

/** R² of the first predictions less that of the others, with a 95% percentile interval from resampling both together; undefined where all y are the same. */
export function explainedMore(
  first: readonly number[],
  other: readonly number[],
  observed: readonly number[],
  options: QualityOptions,
): Plain<typeof estimateSchema> | undefined {
  const difference = (picked: readonly number[]): number | undefined => {
    const truth = pick(observed, picked);
    const [a, b] = [first, other].map((values) => explained(pick(values, picked), truth));
    return a === undefined || b === undefined ? undefined : a - b;
  };
  const value = difference([...observed.keys()]);
  if (value === undefined) return undefined;
  return { value, ...interval(resample(observed.length, options, difference)) };
}

const pick = (values: readonly number[], picked: readonly number[]): number[] =>
  picked.map((i) => values[i]!);

/** A figure of bootstrap samples, as indices; those that have none are left out. */
function resample(
  count: number,
  { rng, replicates }: QualityOptions,
  figure: (picked: readonly number[]) => number | undefined,
): readonly number[] {
  return Array.from({ length: replicates }, () =>
    figure([...drawTimes(count, rng)].flatMap((often, i) => Array<number>(often).fill(i))),
  ).filter((value) => value !== undefined);
}

const interval = (samples: readonly number[]): { low?: number; high?: number } =>
  samples.length < 2 ? {} : { low: quantile(samples, 0.025), high: quantile(samples, 0.975) };

/** R²; undefined where the observed are all the same. */
function explained(predicted: readonly number[], observed: readonly number[]): number | undefined {
  if (observed.every((value) => value === observed[0])) return undefined;
  const mean = meanOf(observed);
  let total = 0;
  let left = 0;
  for (const [i, y] of observed.entries()) {
    total += (y - mean) ** 2;
    left += (y - predicted[i]!) ** 2;
  }
  return 1 - left / total;
}

function calibration(
  x: readonly number[],
  y: readonly number[],
): Pick<PredictionQuality, "slope" | "intercept"> {
  if (x.every((value) => value === x[0])) return {};
  const [mx, my] = [meanOf(x), meanOf(y)];
  let xx = 0;
  let xy = 0;
  for (const [i, value] of x.entries()) {
    xx += (value - mx) ** 2;
    xy += (value - mx) * (y[i]! - my);
  }
  const slope = xy / xx;
  const intercept = my - slope * mx;
  const df = x.length - 2;
  if (df < 1) return { slope: { value: slope }, intercept: { value: intercept } };
  const left = x.reduce((sum, value, i) => sum + (y[i]! - intercept - slope * value) ** 2, 0);
  const t = twoSidedQuantile(0.05, df);
  const half = t * Math.sqrt(left / df / xx);
  const halfIntercept = half * Math.sqrt(xx / x.length + mx * mx);
  return {
    slope: { value: slope, low: slope - half, high: slope + half },
    intercept: {
      value: intercept,
      low: intercept - halfIntercept,
      high: intercept + halfIntercept,
    },
  };
}
