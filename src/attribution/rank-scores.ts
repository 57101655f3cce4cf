/** The order of N scores. */
export interface ScoreOrder {
  /** Rows from the highest score to the lowest; equal scores by row, rows without a score (NaN) last; [N]. */
  readonly order: Uint32Array;
  /** Rows that have a score. */
  readonly scored: number;
}

const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/** Sorts by descending score in linear time (radix sort over the bits of the floats); deterministic, ties by row. */
export function rankScores(scores: Float32Array): ScoreOrder {
  const keys = descendingKeys(scores);
  let order = new Uint32Array(keys.length);
  for (let row = 0; row < order.length; row++) order[row] = row;
  let other = new Uint32Array(order.length);
  // Stable from the lowest digit up, so rows with equal keys keep their order.
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    sortByDigit(keys, shift, order, other);
    [order, other] = [other, order];
  }
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

/** Unsigned numbers in the opposite order of the scores; -0 equals 0, NaN is the largest. */
function descendingKeys(scores: Float32Array): Uint32Array {
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  const keys = new Uint32Array(scores.length);
  for (let i = 0; i < keys.length; i++) {
    const raw = bits[i]!;
    const word = raw === 0x80000000 ? 0 : raw;
    // Negative floats grow downwards in their bits, positive ones upwards.
    const ascending = word & 0x80000000 ? ~word : word | 0x80000000;
    keys[i] = (word & 0x7fffffff) > 0x7f800000 ? 0xffffffff : ~ascending;
  }
  return keys;
}

function sortByDigit(keys: Uint32Array, shift: number, from: Uint32Array, to: Uint32Array): void {
  const starts = new Uint32Array(DIGITS + 1);
  for (let i = 0; i < keys.length; i++) starts[((keys[i]! >>> shift) & (DIGITS - 1)) + 1]!++;
  for (let digit = 0; digit < DIGITS; digit++) starts[digit + 1]! += starts[digit]!;
  for (let i = 0; i < from.length; i++) {
    const row = from[i]!;
    to[starts[(keys[row]! >>> shift) & (DIGITS - 1)]!++] = row;
  }
}
