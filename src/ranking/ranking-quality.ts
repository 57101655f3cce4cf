/** @file How well scores find the pairs that are known to have caused the behaviour. */
import { z } from "zod";

import { rankScores } from "../attribution/rank-scores.ts";
import { quantile } from "../stats/quantile.ts";
import { jsonArtifact } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";

const estimateSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });

const qualityAtKSchema = z.strictObject({
  k: z.int(),
  found: z.int(),
  /** Share of the planted pairs that are among the first k. */
  recall: estimateSchema,
  /** Share of the first k that is planted. */
  precision: estimateSchema,
});

const rankingQualitySchema = z.strictObject({
  pairs: z.int(),
  planted: z.int(),
  /** Pairs without a score; they rank last. */
  unscored: z.int(),
  /** How often a planted pair scores above another; equal scores count half. 0.5 by chance. */
  auroc: estimateSchema,
  /** Mean over the planted pairs of the precision down to each. planted / pairs by chance. */
  averagePrecision: estimateSchema,
  at: z.array(qualityAtKSchema).readonly(),
});

/** A figure with its 95% interval. */
export type Estimate = z.output<typeof estimateSchema>;
export type RankingQuality = z.output<typeof rankingQualitySchema>;

export const plantedQualitySchema = z.strictObject({
  /** What tells the ranking from others of its file, as far as that says. */
  method: z.string().optional(),
  behavior: z.string().optional(),
  layer: z.int().optional(),
  /** Planted pairs that the ranking does not have. */
  absent: z.int(),
  ...rankingQualitySchema.shape,
});

/** How well a ranking finds the planted pairs. */
export type PlantedQuality = z.output<typeof plantedQualitySchema>;
/** Of every ranking of a file. */
export const QUALITY = jsonArtifact(
  "quality.json",
  "the quality of rankings",
  z.array(plantedQualitySchema).readonly(),
);

export interface RankingQualityOptions {
  /** Sizes of the top, each at most the number of pairs. Default: the number planted. */
  readonly ks?: readonly number[] | undefined;
  /** Bootstrap replicates; default 1000. */
  readonly replicates?: number | undefined;
  /** Of the bootstrap; default 0. */
  readonly seed?: number | undefined;
}

/**
 * Quality of scores (NaN: none, [N]) against the planted truth ([N]); ties in a top are cut by row, as the ranking cuts them. Intervals:
 * percentile bootstrap, planted and other pairs resampled apart. Throws ConfigError where no pair or every pair is planted.
 */
export function rankingQuality(
  scores: Float32Array,
  isPlanted: readonly boolean[],
  options: RankingQualityOptions = {},
): RankingQuality {
  const { replicates = 1000, seed = 0 } = options;
  const n = scores.length;
  const planted = isPlanted.filter(Boolean).length;
  if (planted === 0 || planted === n) {
    throw new ConfigError(
      `ranking quality: expected some planted pairs among others, got ${planted} of ${n}`,
    );
  }
  const ks = [...new Set(options.ks ?? [planted])].toSorted((a, b) => a - b);
  for (const k of ks) {
    if (!Number.isSafeInteger(k) || k < 1 || k > n) {
      throw new ConfigError(`ranking quality: expected a top from 1 to ${n} pairs, got ${k}`);
    }
  }
  const ranked = orderPairs(scores, isPlanted);
  const figures = measure(ranked, new Uint32Array(n).fill(1), ks);
  const draws = figures.map(() => new Float64Array(replicates));
  const rng = createRng(seed);
  for (let replicate = 0; replicate < replicates; replicate++) {
    const times = resample(ranked, (bound) => rng.integer(bound));
    for (const [i, value] of measure(ranked, times, ks).entries()) draws[i]![replicate] = value;
  }
  const estimate = (i: number): Estimate => ({
    value: figures[i]!,
    low: replicates === 0 ? figures[i]! : quantile(draws[i]!, 0.025),
    high: replicates === 0 ? figures[i]! : quantile(draws[i]!, 0.975),
  });
  return {
    pairs: n,
    planted,
    unscored: scores.reduce((count, score) => count + Number(Number.isNaN(score)), 0),
    auroc: estimate(0),
    averagePrecision: estimate(1),
    at: ks.map((k, i) => ({
      k,
      found: Math.round(figures[2 + i]! * planted),
      recall: estimate(2 + i),
      precision: estimate(2 + ks.length + i),
    })),
  };
}

/** Pairs from the highest score down. */
interface RankedPairs {
  /** 1 where planted. */
  readonly planted: Uint8Array;
  /** 1 where the next pair's score is lower: the end of a group of equal scores. */
  readonly isEnd: Uint8Array;
  readonly positives: Uint32Array;
  readonly negatives: Uint32Array;
}

function orderPairs(scores: Float32Array, isPlanted: readonly boolean[]): RankedPairs {
  const { order } = rankScores(scores);
  const planted = Uint8Array.from(order, (row) => Number(isPlanted[row]!));
  const isEnd = Uint8Array.from(order, (row, i) => {
    const next = order[i + 1];
    if (next === undefined) return 1;
    const [here, below] = [scores[row]!, scores[next]!];
    return Number(here !== below && !(Number.isNaN(here) && Number.isNaN(below)));
  });
  const places = Uint32Array.from(order.keys());
  return {
    planted,
    isEnd,
    positives: places.filter((i) => planted[i] === 1),
    negatives: places.filter((i) => planted[i] === 0),
  };
}

function resample(
  { planted, positives, negatives }: RankedPairs,
  integer: (bound: number) => number,
): Uint32Array {
  const times = new Uint32Array(planted.length);
  for (const places of [positives, negatives]) {
    for (let i = 0; i < places.length; i++) times[places[integer(places.length)]!]!++;
  }
  return times;
}

/** AUROC, average precision, then recall and precision at each k, with every pair counted `times` times. */
function measure(ranked: RankedPairs, times: Uint32Array, ks: readonly number[]): number[] {
  const { planted, isEnd, positives, negatives } = ranked;
  let hits = 0;
  let others = 0;
  let groupHits = 0;
  let groupOthers = 0;
  let concordant = 0;
  let precisions = 0;
  const found = ks.map(() => 0);
  let next = 0;
  for (let i = 0; i < planted.length; i++) {
    const weight = times[i]!;
    if (planted[i] === 1) groupHits += weight;
    else groupOthers += weight;
    for (; next < ks.length && hits + others + groupHits + groupOthers >= ks[next]!; next++) {
      // A pair that was drawn several times may reach over the edge of the top.
      const over = hits + others + groupHits + groupOthers - ks[next]!;
      found[next] = hits + groupHits - (planted[i] === 1 ? over : 0);
    }
    if (isEnd[i] === 0) continue;
    // Equal scores stand on one threshold.
    concordant += groupOthers * (hits + groupHits / 2);
    hits += groupHits;
    others += groupOthers;
    if (groupHits > 0) precisions += (groupHits * hits) / (hits + others);
    groupHits = 0;
    groupOthers = 0;
  }
  return [
    concordant / positives.length / negatives.length,
    precisions / positives.length,
    ...found.map((count) => count / positives.length),
    ...found.map((count, i) => count / ks[i]!),
  ];
}
