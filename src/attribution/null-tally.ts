/** @file Counts of null scores while they stream by: one fine histogram for each null direction, never the scores themselves. */

/** Bins of a tally; far finer than any histogram that is shown. */
export const TALLY_BINS = 2048;
/** Null scores of N directions, binned over [-range, range]; what lies outside is counted in the outermost bins. */
export interface NullTally {
  readonly directions: number;
  readonly range: number;
  /** [N, TALLY_BINS] */
  readonly counts: Uint32Array;
}

/** An empty tally over [-range, range]; range above 0. */
export function createNullTally(directions: number, range: number): NullTally {
  return { directions, range, counts: new Uint32Array(directions * TALLY_BINS) };
}

/** Counts a block of null scores, [R, N] row by row; NaN (a pair without a score) is left out. Mutates the tally. */
export function tallyScores(tally: NullTally, scores: Float32Array, rows: number): void {
  const { directions, range, counts } = tally;
  const toBin = TALLY_BINS / (2 * range);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let n = 0; n < directions; n++, i++) {
      const score = scores[i]!;
      if (Number.isNaN(score)) continue;
      const at = (score + range) * toBin;
      const bin = at < 0 ? 0 : at >= TALLY_BINS ? TALLY_BINS - 1 : Math.floor(at);
      counts[n * TALLY_BINS + bin]!++;
    }
  }
}

/** Counts over all directions, [TALLY_BINS]. */
export function pooledCounts({ directions, counts }: NullTally): Float64Array {
  const pooled = new Float64Array(TALLY_BINS);
  for (let i = 0; i < directions * TALLY_BINS; i++) pooled[i % TALLY_BINS]! += counts[i]!;
  return pooled;
}

/** The lower edge of a bin; `TALLY_BINS` gives the upper edge of the last one. */
export function binEdge({ range }: NullTally, bin: number): number {
  return -range + (2 * range * bin) / TALLY_BINS;
}

/** The q-quantile of binned counts, interpolated within its bin. */
export function binnedQuantile(tally: NullTally, counts: ArrayLike<number>, q: number): number {
  let total = 0;
  for (let bin = 0; bin < TALLY_BINS; bin++) total += counts[bin]!;
  let left = q * total;
  for (let bin = 0; bin < TALLY_BINS; bin++) {
    const here = counts[bin]!;
    if (left <= here && here > 0) return binEdge(tally, bin + left / here);
    left -= here;
  }
  return tally.range;
}

/** The share of binned counts above a threshold, interpolated within its bin. */
export function shareAbove(tally: NullTally, counts: ArrayLike<number>, threshold: number): number {
  const at = ((threshold + tally.range) * TALLY_BINS) / (2 * tally.range);
  let total = 0;
  let above = 0;
  for (let bin = 0; bin < TALLY_BINS; bin++) {
    const here = counts[bin]!;
    total += here;
    above += here * Math.max(0, Math.min(1, bin + 1 - at));
  }
  return total === 0 ? 0 : above / total;
}
