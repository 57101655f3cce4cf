import { z } from "zod";

import { quantileOfAscending } from "../stats/quantile.ts";
import { firstIndex } from "../util/first-index.ts";
import {
  binEdge,
  binnedQuantile,
  type NullTally,
  pooledCounts,
  shareAbove,
  TALLY_BINS,
} from "./null-tally.ts";
import {
  locationStatistics,
  signalStatistics,
  signalStatisticsSchema,
} from "./signal-statistics.ts";

const nullTailSchema = z.strictObject({
  side: z.enum(["top", "bottom"]),
  /** Share of the null scores beyond the threshold. */
  expected: z.number(),
  threshold: z.number(),
  /** Share of the pairs beyond the threshold. */
  share: z.number(),
  /** share - expected. */
  excess: z.number(),
  /** Smallest and largest share beyond the same threshold that a single null direction has. */
  nullShares: z.tuple([z.number(), z.number()]).readonly(),
});

const numbers = z.array(z.number()).readonly();

export const nullComparisonSchema = z.strictObject({
  /** Null directions scored. */
  directions: z.int(),
  quantiles: z
    .array(z.strictObject({ q: z.number(), real: z.number(), null: z.number() }))
    .readonly(),
  tails: z.array(nullTailSchema).readonly(),
  /** Whether few scores stand out or all are shifted. */
  signal: signalStatisticsSchema,
  /** Equal bins over both distributions. The first and last also count what lies beyond. */
  histogram: z.strictObject({
    /** One more than there are bins. */
    edges: numbers,
    real: numbers,
    /** Counts over all null directions together: divide by `directions` to compare. */
    null: numbers,
  }),
});

/** How the scores of a behaviour compare with those of directions that mean nothing, over the same pairs. */
export type NullComparison = z.output<typeof nullComparisonSchema>;
/** The pairs beyond a quantile of the pooled null scores. */
export type NullTail = z.output<typeof nullTailSchema>;

const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const TAILS = [0.05, 0.01];
const SHOWN_BINS = 24;

export interface NullComparisonOptions {
  /** Whether scores are cosines. */
  readonly kind: "cosine" | "projection";
  /** Scores of the same pairs, and their null, whose location is looked at instead of these scores'. */
  readonly location?: { readonly scores: Float32Array; readonly tally: NullTally } | undefined;
}

/** Compares scores (NaN: none) with a tally of null scores of the same pairs; undefined where there are no scores. */
export function compareWithNull(
  scores: Float32Array,
  tally: NullTally,
  { kind, location }: NullComparisonOptions,
): NullComparison | undefined {
  const real = inOrder(scores);
  if (real.length === 0) return undefined;
  const pooled = pooledCounts(tally);
  return {
    directions: tally.directions,
    quantiles: QUANTILES.map((q) => ({
      q,
      real: quantileOfAscending(real, q),
      null: binnedQuantile(tally, pooled, q),
    })),
    tails: TAILS.flatMap((expected) => [
      nullTail(real, tally, pooled, { side: "top", expected }),
      nullTail(real, tally, pooled, { side: "bottom", expected }),
    ]),
    signal: {
      ...signalStatistics(real, tally, kind),
      ...(location && locationStatistics(inOrder(location.scores), location.tally, kind)),
    },
    histogram: histogram(real, tally, pooled),
  };
}

function inOrder(scores: Float32Array): Float32Array {
  return scores.filter((score) => !Number.isNaN(score)).toSorted();
}

function nullTail(
  real: Float32Array,
  tally: NullTally,
  pooled: Float64Array,
  { side, expected }: { side: "top" | "bottom"; expected: number },
): NullTail {
  const isTop = side === "top";
  const threshold = binnedQuantile(tally, pooled, isTop ? 1 - expected : expected);
  const first = firstIndex(real, (score) => (isTop ? score > threshold : score >= threshold));
  const beyond = isTop ? real.length - first : first;
  const share = beyond / real.length;
  const shares = Array.from({ length: tally.directions }, (_, n) => {
    const above = shareAbove(
      tally,
      tally.counts.subarray(n * TALLY_BINS, (n + 1) * TALLY_BINS),
      threshold,
    );
    return isTop ? above : 1 - above;
  });
  return {
    side,
    expected,
    threshold,
    share,
    excess: share - expected,
    nullShares: [Math.min(...shares), Math.max(...shares)],
  };
}

function histogram(
  real: Float32Array,
  tally: NullTally,
  pooled: Float64Array,
): NullComparison["histogram"] {
  const toBin = (score: number): number => ((score + tally.range) * TALLY_BINS) / (2 * tally.range);
  const low = Math.min(real[0]!, binnedQuantile(tally, pooled, 0.001));
  const high = Math.max(real.at(-1)!, binnedQuantile(tally, pooled, 0.999));
  // Whole bins of the tally, so that the null counts are exact.
  const first = Math.max(0, Math.floor(toBin(low)));
  const end = Math.min(TALLY_BINS, Math.ceil(toBin(high)));
  const step = Math.max(1, Math.ceil((end - first) / SHOWN_BINS));
  const bins = Math.max(1, Math.ceil((end - first) / step));
  const place = (bin: number): number =>
    Math.max(0, Math.min(bins - 1, Math.floor((bin - first) / step)));
  const counts = { real: Array<number>(bins).fill(0), null: Array<number>(bins).fill(0) };
  for (const score of real) counts.real[place(Math.floor(toBin(score)))]!++;
  for (let bin = 0; bin < TALLY_BINS; bin++) counts.null[place(bin)]! += pooled[bin]!;
  const edges = Array.from({ length: bins + 1 }, (_, i) => binEdge(tally, first + i * step));
  return { edges, ...counts };
}
