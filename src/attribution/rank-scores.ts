import { descendingKeys, radixOrder } from "../util/radix-order.ts";

/** The order of N scores. */
export interface ScoreOrder {
  /** Rows from the highest score to the lowest; equal scores by row, rows without a score (NaN) last; [N]. */
  readonly order: Uint32Array;
  /** Rows that have a score. */
  readonly scored: number;
}

/** Sorts by descending score in linear time (radix sort over the bits of the floats); deterministic, ties by row. */
export function rankScores(scores: Float32Array): ScoreOrder {
  const order = radixOrder(descendingKeys(scores));
  let scored = order.length;
  while (scored > 0 && Number.isNaN(scores[order[scored - 1]!])) scored--;
  return { order, scored };
}

/** The rank of each row, from 1, [N]. */
export function ranksOf({ order }: ScoreOrder): Uint32Array {
  const ranks = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) ranks[order[i]!] = i + 1;
  return ranks;
}

/**
 * The share of the scored rows ranked below, in percent: near 100 at the top, 0 at the bottom; undefined without a score. Equal
 * scores are ranked by row and so differ in it.
 */
export function percentile(rank: number, scored: number): number | undefined {
  return rank <= scored ? (100 * (scored - rank)) / scored : undefined;
}
