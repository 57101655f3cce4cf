import type { Rng } from "../util/rng.ts";
import { quantile } from "./quantile.ts";
import { averageRanks } from "./spearman.ts";

/** A share of concordant pairs with its 95% interval. */
export interface Auroc {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly positives: number;
  readonly negatives: number;
}

/** Enough for the 2.5% and 97.5% quantiles to settle in the third digit. */
const DEFAULT_REPLICATES = 1000;

/**
 * Area under the ROC curve: how often a positive scores above a negative, ties counting half (Mann-Whitney's U over the number of
 * pairs). The interval is the percentile bootstrap over items, positives and negatives resampled apart. Undefined where either
 * class is empty: there is nothing to tell apart.
 */
export function auroc(
  positives: readonly number[],
  negatives: readonly number[],
  {
    rng,
    replicates = DEFAULT_REPLICATES,
  }: { readonly rng: Rng; readonly replicates?: number | undefined },
): Auroc | undefined {
  if (positives.length === 0 || negatives.length === 0) return undefined;
  const resample = (values: readonly number[]): number[] =>
    Array.from(values, () => values[rng.integer(values.length)]!);
  const draws = Array.from({ length: replicates }, () =>
    concordance(resample(positives), resample(negatives)),
  ).toSorted((a, b) => a - b);
  return {
    value: concordance(positives, negatives),
    low: quantile(draws, 0.025),
    high: quantile(draws, 0.975),
    positives: positives.length,
    negatives: negatives.length,
  };
}

function concordance(positives: readonly number[], negatives: readonly number[]): number {
  const ranks = averageRanks([...positives, ...negatives]);
  let sum = 0;
  for (let i = 0; i < positives.length; i++) sum += ranks[i]!;
  // U = R₊ − n₊(n₊ + 1)/2
  const u = sum - (positives.length * (positives.length + 1)) / 2;
  return u / (positives.length * negatives.length);
}
