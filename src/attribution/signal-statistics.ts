import { z } from "zod";

import { quantile, quantileOfAscending } from "../stats/quantile.ts";
import { firstIndex } from "../util/first-index.ts";
import { binnedQuantile, type NullTally, shareAbove, TALLY_BINS } from "./null-tally.ts";

const locationSchema = z.strictObject({
  /** Median score less the median over the null directions' medians. */
  shift: z.number(),
  /** Largest such shift, up or down, of a single null direction. */
  largestNullShift: z.number(),
  /** From the lower quartile to the median of the scores. */
  spread: z.number(),
});

const tailSchema = z.strictObject({
  /** Share of the pairs expected there. */
  expected: z.number(),
  threshold: z.number(),
  share: z.number(),
  /** share - expected in standard errors: the spread of the null directions' own, or that of counting where it is larger. */
  excess: z.number(),
});

export const signalStatisticsSchema = locationSchema.extend({
  tails: z.array(tailSchema).readonly(),
  /** The largest excess of a null direction over all tails, in standard errors. */
  largestNullExcess: z.number(),
});

/** How the bulk of the scores lies and how far their upper end reaches beyond it, against single null directions. */
export type SignalStatistics = z.output<typeof signalStatisticsSchema>;
/** Where the bulk of the scores lies. */
export type LocationStatistics = z.output<typeof locationSchema>;
/** The pairs further above the median than the null's shape, moved and stretched to the bulk of the scores, lets expect. */
export type SignalTail = z.output<typeof tailSchema>;

/** From a tail wide enough for many weak pairs to one narrow enough for few. */
const EXPECTED = [0.1, 0.05, 0.02, 0.01, 0.001] as const;

/**
 * Cosines end at 1, where no tail can be seen: along a direction that holds much of the pairs' variance they crowd there. Their tangents,
 * how far a vector goes along the direction for each unit across it, do not.
 */
const UNFOLD = {
  cosine: {
    open: (score: number): number => score / Math.sqrt(Math.max(1e-6, 1 - score * score)),
    close: (tangent: number): number => tangent / Math.sqrt(1 + tangent * tangent),
  },
  projection: { open: (score: number): number => score, close: (score: number): number => score },
} as const;

/**
 * Location and spread come from the median and the lower quartile, which a small tail at the top does not move, so that a shift of all
 * pairs, or a wider spread on both sides, is no tail. `ascending` are the scores in order, at least one; `kind` says whether they are
 * cosines. Shift and spread are in units of the tangent where they are.
 */
export function signalStatistics(
  ascending: Float32Array,
  tally: NullTally,
  kind: keyof typeof UNFOLD,
): SignalStatistics {
  const { open, close } = UNFOLD[kind];
  const nulls = nullBulks(tally, open);
  const real = bulk((q) => open(quantileOfAscending(ascending, q)));
  const found = EXPECTED.map((expected) => {
    const reaches = nulls.map(({ quantileAt, median, spread }) =>
      spread > 0 ? (quantileAt(1 - expected) - median) / spread : 0,
    );
    const reach = quantile(reaches, 0.5);
    const nullShares = nulls.map(({ counts, median, spread }) =>
      shareAbove(tally, counts, close(median + reach * spread)),
    );
    const errors = nullShares.map((share) => share - expected);
    const squares = errors.reduce((sum, each) => sum + each * each, 0);
    const error = Math.max(
      Math.sqrt(squares / nullShares.length),
      Math.sqrt(expected / ascending.length),
    );
    const threshold = close(real.median + reach * real.spread);
    const beyond = ascending.length - firstIndex(ascending, (score) => score > threshold);
    const share = beyond / ascending.length;
    return {
      tail: { expected, threshold, share, excess: (share - expected) / error },
      nullExcesses: nullShares.map((each) => (each - expected) / error),
    };
  });
  return {
    ...locate(real, nulls),
    tails: found.map(({ tail }) => tail),
    largestNullExcess: Math.max(...found.flatMap(({ nullExcesses }) => nullExcesses)),
  };
}

/** The location alone; see signalStatistics. */
export function locationStatistics(
  ascending: Float32Array,
  tally: NullTally,
  kind: keyof typeof UNFOLD,
): LocationStatistics {
  const { open } = UNFOLD[kind];
  return locate(
    bulk((q) => open(quantileOfAscending(ascending, q))),
    nullBulks(tally, open),
  );
}

interface Bulk {
  readonly median: number;
  readonly spread: number;
}

function locate(real: Bulk, nulls: readonly Bulk[]): LocationStatistics {
  const medians = nulls.map(({ median }) => median);
  const centre = quantile(medians, 0.5);
  return {
    shift: real.median - centre,
    largestNullShift: Math.max(...medians.map((median) => Math.abs(median - centre))),
    spread: real.spread,
  };
}

interface NullBulk extends Bulk {
  readonly counts: Uint32Array;
  readonly quantileAt: (q: number) => number;
}

function nullBulks(tally: NullTally, open: (score: number) => number): readonly NullBulk[] {
  return Array.from({ length: tally.directions }, (_, n) => {
    const counts = tally.counts.subarray(n * TALLY_BINS, (n + 1) * TALLY_BINS);
    const quantileAt = (q: number): number => open(binnedQuantile(tally, counts, q));
    return { counts, quantileAt, ...bulk(quantileAt) };
  });
}

function bulk(quantileAt: (q: number) => number): Bulk {
  const median = quantileAt(0.5);
  return { median, spread: median - quantileAt(0.25) };
}
