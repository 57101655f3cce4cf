import { z } from "zod";

import type { UnrelatedScores } from "../attribution/method.ts";
import { rankScores, ranksOf } from "../attribution/rank-scores.ts";
import {
  type SignalStatistics,
  signalStatisticsSchema,
  type SignalTail,
} from "../attribution/signal-statistics.ts";
import { correlationSchema, spearman } from "../stats/spearman.ts";

const topOverlapSchema = z.strictObject({
  /** Size of both tops. */
  k: z.int(),
  shared: z.int(),
  /** Shared by chance, k² ÷ pairs. */
  expected: z.number(),
});

export const unrelatedComparisonSchema = z.strictObject({
  behavior: z.string(),
  /** Why its vector is not stable, which makes it no null; absent where it is. */
  doubt: z.string().optional(),
  /** Between the two directions. */
  cosine: z.number(),
  /** Spearman's, of the scores. */
  correlation: correlationSchema.optional(),
  /** How many pairs the two rankings' tops have in common. */
  overlaps: z.array(topOverlapSchema).readonly(),
  /** The unrelated behaviour's own scores against its own null directions; absent where it has none. */
  signal: signalStatisticsSchema.optional(),
});

/** A ranking beside that of an unrelated behaviour, over the same pairs: the second null. */
export type UnrelatedComparison = z.output<typeof unrelatedComparisonSchema>;
export type TopOverlap = z.output<typeof topOverlapSchema>;

/** Compares scores (NaN: none) with those of an unrelated behaviour. `sizes` are those of the tops, in pairs, at most as many as have a score. */
export function compareUnrelated(
  scores: Float32Array,
  unrelated: UnrelatedScores,
  sizes: readonly number[],
): UnrelatedComparison {
  const { behavior, doubt, cosine } = unrelated;
  const isScored = (_: number, row: number): boolean =>
    !Number.isNaN(scores[row]) && !Number.isNaN(unrelated.scores[row]);
  return {
    behavior,
    doubt,
    cosine,
    correlation: spearman(scores.filter(isScored), unrelated.scores.filter(isScored)),
    overlaps: topOverlaps(scores, unrelated.scores, sizes),
    signal: unrelated.null?.signal,
  };
}

function topOverlaps(
  scores: Float32Array,
  others: Float32Array,
  sizes: readonly number[],
): TopOverlap[] {
  const { order, scored } = rankScores(scores);
  const ranks = ranksOf(rankScores(others));
  return sizes.map((k) => {
    const shared = order.subarray(0, k).filter((row) => ranks[row]! <= k).length;
    return { k, shared, expected: (k * k) / scored };
  });
}

/** The sizes of the tops that a verdict looks at: the pairs in each tail. */
export function tailSizes(signal: SignalStatistics, scored: number): number[] {
  return signal.tails.map((tail) => tailSize(tail, scored));
}

function tailSize({ share }: SignalTail, scored: number): number {
  return Math.round(share * scored);
}

/** What an unrelated behaviour has of a behaviour's tail is no sign of the behaviour from this share of its excess on. */
export const LARGEST_SHARED = 0.5;

/** The tail in which the unrelated behaviour's ranking has as many pairs, or the same; undefined where it has neither. */
export function explainTail(
  tail: SignalTail,
  scored: number,
  { behavior, overlaps, signal }: UnrelatedComparison,
): string | undefined {
  const excess = tail.share - tail.expected;
  const own = signal?.tails.find(({ expected }) => expected === tail.expected);
  if (own !== undefined && own.share - own.expected >= LARGEST_SHARED * excess) {
    return `"${behavior}" has ${percent(own.share)} of them in the same tail`;
  }
  const overlap = overlaps.find(({ k }) => k === tailSize(tail, scored));
  if (
    overlap !== undefined &&
    overlap.shared - overlap.expected >= LARGEST_SHARED * excess * scored
  ) {
    return `${overlap.shared} of these ${overlap.k} are among the first ${overlap.k} for "${behavior}" too`;
  }
  return undefined;
}

/** From this cosine on the other direction is hardly another one, and its shift says nothing against the behaviour's. */
const SAME_DIRECTION = 0.5;

/**
 * Why a shift is no sign of the behaviour: the unrelated one's is at least half of it, each in its own spread; else undefined. Tails are held
 * to directions near the behaviour's too, since to call one concentrated is to say that editing its top acts on this behaviour; to call
 * a shift diffuse claims nothing of the sort.
 */
export function explainShift(
  { shift, spread }: SignalStatistics,
  { behavior, cosine, signal }: UnrelatedComparison,
): string | undefined {
  if (cosine >= SAME_DIRECTION || signal === undefined) return undefined;
  if (signal.shift / signal.spread < (LARGEST_SHARED * shift) / spread) {
    return undefined;
  }
  return `scores for "${behavior}" are shifted as well, ${(signal.shift / signal.spread).toFixed(2)} of their spread against ${(shift / spread).toFixed(2)}`;
}

/** A share for sentences. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 2 : 1)}%`;
}
