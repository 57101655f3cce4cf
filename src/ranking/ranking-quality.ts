/** @file How well scores find the pairs that are known to have caused the behaviour. */
import { z } from "zod";

import { rankScores } from "../attribution/rank-scores.ts";
import { jsonArtifact } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import {
  type EqualScores,
  estimateAuroc,
  estimateAveragePrecision,
  estimateTop,
  type RankedGroups,
} from "./quality-figures.ts";

const estimateSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });

const qualityAtKSchema = z.strictObject({
  k: z.int(),
  /** Planted pairs among the first k; of a score that the top cuts, in proportion. */
  found: z.number(),
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
}

/**
 * Quality of scores (NaN: none, [N]) against the planted truth ([N]); the order of equal scores does not count. Throws ConfigError where no
 * pair or every pair is planted.
 */
export function rankingQuality(
  scores: Float32Array,
  isPlanted: readonly boolean[],
  options: RankingQualityOptions = {},
): RankingQuality {
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
  const ranked = groupPairs(scores, isPlanted);
  return {
    pairs: n,
    planted,
    unscored: scores.reduce((count, score) => count + Number(Number.isNaN(score)), 0),
    auroc: estimateAuroc(ranked),
    averagePrecision: estimateAveragePrecision(ranked),
    at: ks.map((k) => ({ k, ...estimateTop(ranked, k) })),
  };
}

/** Equal scores together, from the highest down; pairs without a score last. */
function groupPairs(scores: Float32Array, isPlanted: readonly boolean[]): RankedGroups {
  const groups: EqualScores[] = [];
  let here = { hits: 0, others: 0 };
  let last: number | undefined;
  for (const row of rankScores(scores).order) {
    const score = scores[row]!;
    const isEqual = score === last || (Number.isNaN(score) && Number.isNaN(last));
    if (!isEqual) {
      here = { hits: 0, others: 0 };
      groups.push(here);
    }
    if (isPlanted[row] === true) here.hits++;
    else here.others++;
    last = score;
  }
  const planted = groups.reduce((sum, { hits }) => sum + hits, 0);
  return { groups, planted, others: scores.length - planted };
}
