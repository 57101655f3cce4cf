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
  /** Shared by chance, k² ÷ pairs; as many of the opposed. */
  expected: z.number(),
  /** Of the unrelated behaviour's top k, those among the k pairs that score lowest for the behaviour. */
  opposed: z.int(),
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
    const inTop = (rows: Uint32Array): number => rows.filter((row) => ranks[row]! <= k).length;
    const shared = inTop(order.subarray(0, k));
    const opposed = inTop(order.subarray(scored - k, scored));
    return { k, shared, expected: (k * k) / scored, opposed };
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

/** Why a tail is no sign of the behaviour. */
export interface SharedTail {
  /** What the unrelated behaviour has, one clause. */
  readonly reason: string;
  /** Whether half of the excess is the same pairs; else it has a tail as large, mostly of others. */
  readonly samePairs: boolean;
}

/**
 * What the unrelated behaviour has of a tail: half of its excess in the same pairs, or in others; undefined where it has neither. Others
 * that are at the behaviour's own bottom do not count: they are the far end of the same axis, and tell nothing of another meaning. A
 * direction that leans against the behaviour, as drift may, has them at its top wherever the pairs push both ways.
 */
export function explainTail(
  tail: SignalTail,
  scored: number,
  { behavior, overlaps, signal }: UnrelatedComparison,
): SharedTail | undefined {
  const half = LARGEST_SHARED * (tail.share - tail.expected);
  const overlap = overlaps.find(({ k }) => k === tailSize(tail, scored));
  if (overlap !== undefined && overlap.shared - overlap.expected >= half * scored) {
    const reason = `${overlap.shared} of these ${overlap.k} are among the first ${overlap.k} for "${behavior}" too`;
    return { reason, samePairs: true };
  }
  const own = signal?.tails.find(({ expected }) => expected === tail.expected);
  const aside = overlap === undefined ? 1 : 1 - overlap.opposed / overlap.k;
  if (own !== undefined && aside * (own.share - own.expected) >= half) {
    const reason = `"${behavior}" has ${percent(own.share)} of them in the same tail`;
    return { reason, samePairs: false };
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
