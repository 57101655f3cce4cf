import { upperTail } from "../stats/normal.ts";
import { quantile } from "../stats/quantile.ts";
/** @file How many pairs of the exact top a second pass over the likeliest ones has missed, as far as a random sample tells. */
import { firstIndex } from "../util/first-index.ts";
import type { Rng } from "../util/rng.ts";

/** Pairs that the second pass has left out. */
export interface MissedPairs {
  /** How many of them belong to the exact top, expected. */
  readonly expected: number;
  /** No more than this many, at 95%: of samples drawn anew, each with a number of misses by chance. */
  readonly high: number;
}

export interface LeftOut {
  /** First scores of the pairs that have no exact one. */
  readonly first: Float32Array;
  /** The last exact score of the top. */
  readonly threshold: number;
  /** Exact minus first score of pairs drawn at random; two at least. */
  readonly errors: Float64Array;
}

/** Samples drawn anew. */
const DRAWS = 200;
/** Pairs that lack the same to the threshold are taken together. */
const BINS = 256;
/** Further than this many standard deviations, and than any error seen, nothing is expected. */
const REACH = 8;

/**
 * A pair belongs to the top where its exact score passes the threshold: where its error is larger than what its first score lacks. How often
 * that is so is the larger of two: how often errors of the sample are, and how often those of a normal distribution with the sample's mean and
 * standard deviation are, since a sample says nothing of errors rarer than one in its size. The interval is of the bootstrap over the sample,
 * percentile, one-sided; each sample's expected number is the mean of a Poisson variable, which is drawn, since not the expectation but the
 * number is bounded (a sum of independent chances varies no more than that).
 *
 * Worked: errors of −0.01 and 0.01 (standard deviation 0.0141), threshold 0.5. A pair at 0.495 lacks 0.005, which one error of two passes and
 * of a normal distribution 36%: 0.5. One at 0.47 lacks 0.03, no error passes it, of a normal distribution 1.7%: together 0.517.
 */
export function missedPairs(left: LeftOut, rng: Rng): MissedPairs {
  const { errors } = left;
  const gaps = binGaps(left);
  const drawn = Array.from({ length: DRAWS }, () =>
    poisson(
      expectedMissed(
        gaps,
        errors.map(() => errors[rng.integer(errors.length)]!),
      ),
      rng,
    ),
  );
  return { expected: expectedMissed(gaps, errors), high: quantile(drawn, 0.95) };
}

/** Above this mean a normal variable of the same mean and variance is as good. */
const LARGE_MEAN = 200;

/** Knuth's method: how many uniform factors keep a product above e^−mean. */
function poisson(mean: number, rng: Rng): number {
  if (mean > LARGE_MEAN) return Math.max(0, Math.round(mean + Math.sqrt(mean) * rng.normal()));
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = rng.uniform(); product > least; product *= rng.uniform()) count++;
  return count;
}

interface Gap {
  /** What each pair lacks at least. */
  readonly size: number;
  readonly pairs: number;
}

function binGaps({ first, threshold, errors }: LeftOut): readonly Gap[] {
  const { mean, deviation } = momentsOf(errors);
  const reach = Math.max(mean + REACH * deviation, ...errors);
  // From the smallest gap, which is negative where an exact score fell below a first one that was left out.
  let least = reach;
  for (const score of first) least = Math.min(least, threshold - score);
  const width = (reach - least) / BINS;
  const counts = new Float64Array(BINS);
  for (const score of first) {
    const gap = threshold - score;
    if (gap < reach) counts[Math.min(BINS - 1, Math.floor((gap - least) / width))]! += 1;
  }
  return [...counts].flatMap((pairs, bin) =>
    pairs === 0 ? [] : [{ size: least + bin * width, pairs }],
  );
}

function expectedMissed(gaps: readonly Gap[], errors: Float64Array): number {
  const ascending = errors.toSorted();
  const { mean, deviation } = momentsOf(errors);
  return gaps.reduce((sum, { size, pairs }) => {
    const beyond = ascending.length - firstIndex(ascending, (error) => error > size);
    const normal = deviation > 0 ? upperTail((size - mean) / deviation) : Number(mean > size);
    return sum + pairs * Math.max(beyond / ascending.length, normal);
  }, 0);
}

function momentsOf(errors: Float64Array): { readonly mean: number; readonly deviation: number } {
  const mean = errors.reduce((sum, each) => sum + each, 0) / errors.length;
  const squares = errors.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (errors.length - 1)) };
}
