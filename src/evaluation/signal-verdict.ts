import type { NullComparison } from "../attribution/null-comparison.ts";
import type { Scorer } from "../attribution/scorer.ts";

/** Whether few pairs carry the behaviour, all of them a little, or none that can be told. */
export const SIGNALS = ["concentrated", "diffuse", "no signal"] as const;
export type Signal = (typeof SIGNALS)[number];

export interface SignalVerdict {
  readonly kind: Signal;
  /** What was found, one clause. */
  readonly reason: string;
  /** What it means for editing the data, one sentence. */
  readonly meaning: string;
  /** Pairs in a tail beyond those expected there, in the tail that has most: there are at least about so many. 0 unless concentrated. */
  readonly excessPairs: number;
}

/** A tail holds at least so many times what is expected of it. */
export const MIN_TAIL_RATIO = 1.5;
/** A shift is at least this share of the scores' spread from lower quartile to median: with normal scores, 57% are above the null's median. */
export const MIN_SHIFT = 0.25;

const MEANING: { readonly [S in Signal]: string } = {
  concentrated:
    "Few pairs stand out, so filtering or swapping the top of the ranking can change the behaviour; whether it does, retraining tells.",
  diffuse:
    "Nearly all pairs push a little and none stands out, so expect filtering the top of the ranking to do hardly more than removing random pairs; look at sources, generators or the training itself.",
  "no signal": "Nothing here is told from chance: do not edit data by this ranking.",
};

/**
 * The verdict on a ranking. No signal: the behaviour's vector is not stable. Concentrated: a tail at the top (of 10% to 0.1%) holds at
 * least 1.5 times the pairs that the null's shape, moved and stretched to the bulk of the scores, lets expect, and its excess in
 * standard errors is above that of any null direction in any tail. Diffuse: no such tail, and the median is above the null's by
 * more than that of any null direction is off it, and by a quarter of the spread. Otherwise no signal. Undefined without null
 * directions, and for scorers that take the shift out (centred-cosine) or have another null (bank-max).
 */
export function signalVerdict(ranking: {
  readonly scorer: Scorer;
  readonly doubt: string | undefined;
  readonly scored: number;
  readonly null: NullComparison | undefined;
}): SignalVerdict | undefined {
  if (ranking.doubt !== undefined) return verdict("no signal", ranking.doubt);
  if (ranking.null === undefined || !["cosine", "projection"].includes(ranking.scorer)) {
    return undefined;
  }
  const { shift, largestNullShift, spread, tails, largestNullExcess } = ranking.null.signal;
  const beyond = tails.filter(
    ({ share, expected, excess }) =>
      share >= MIN_TAIL_RATIO * expected && excess > largestNullExcess,
  );
  const clearest = beyond.toSorted((a, b) => b.excess - a.excess)[0];
  if (clearest !== undefined) {
    const { share, expected, excess, threshold } = clearest;
    const reason = `${percent(share)} of the pairs score above ${number(threshold)}, where the null's shape has ${percent(expected)}: ${excess.toFixed(1)} standard errors, single null directions at most ${largestNullExcess.toFixed(1)}`;
    const most = Math.max(...beyond.map((tail) => tail.share - tail.expected));
    return {
      ...verdict("concentrated", reason),
      excessPairs: Math.round(most * ranking.scored),
    };
  }
  const found = `the median score is ${number(Math.abs(shift))} ${shift < 0 ? "below" : "above"} the null's (single null directions are off by at most ${number(largestNullShift)}), with no tail at the top beyond the null's shape`;
  const isShifted = shift > largestNullShift && shift >= MIN_SHIFT * spread;
  return verdict(isShifted ? "diffuse" : "no signal", found);
}

function verdict(kind: Signal, reason: string): SignalVerdict {
  return { kind, reason, meaning: MEANING[kind], excessPairs: 0 };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 2 : 1)}%`;
}

function number(value: number): string {
  return value.toPrecision(2);
}
