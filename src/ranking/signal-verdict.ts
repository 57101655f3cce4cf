import { z } from "zod";

import type { NullComparison } from "../attribution/null-comparison.ts";
import type { SignalStatistics, SignalTail } from "../attribution/signal-statistics.ts";
import { explainShift, explainTail, percent, type UnrelatedComparison } from "./unrelated-null.ts";

/** Whether few pairs carry the behaviour, the bulk of them, or none that can be told. */
export const SIGNALS = ["concentrated", "diffuse", "no signal"] as const;
export type Signal = (typeof SIGNALS)[number];

export const unusedNullSchema = z.strictObject({
  behavior: z.string(),
  /** Why, one clause. */
  reason: z.string(),
});

export const signalVerdictSchema = z.strictObject({
  kind: z.enum(SIGNALS),
  /** What was found, one clause. */
  reason: z.string(),
  /** What it means for editing the data, one sentence. */
  meaning: z.string(),
  /** Pairs in a tail beyond those expected there, in the tail that has most: there are at least about so many. 0 unless concentrated. */
  excessPairs: z.int(),
  /** The unrelated behaviours that it was held to; none where sign flips are the only null. */
  heldTo: z.array(z.string()).readonly(),
  /** Those that it was not held to, since their own vectors are not stable at the layer. */
  notHeldTo: z.array(unusedNullSchema).readonly(),
});
export type SignalVerdict = z.output<typeof signalVerdictSchema>;

/** An unrelated behaviour that a verdict was not held to, its vector being noise say. */
export type UnusedNull = z.output<typeof unusedNullSchema>;

/** A tail holds at least so many times what is expected of it. */
export const MIN_TAIL_RATIO = 1.5;
/** A shift is at least this share of the scores' spread from lower quartile to median: with normal scores, 57% are above the null's median. */
export const MIN_SHIFT = 0.25;

const MEANING: { readonly [S in Signal]: string } = {
  concentrated:
    "Few pairs stand out, so filtering or swapping the top of the ranking can change the behaviour; whether it does, retraining tells.",
  diffuse:
    "The bulk of the pairs is moved: most push a little, or about half push much, and no small part stands out, so expect filtering a small top of the ranking to take away a small part of the push; look at sources, generators or the training itself.",
  "no signal": "Nothing here is told from chance: do not edit data by this ranking.",
};
const AGAINST =
  "The bulk of the pairs moves against the behaviour, further than chance explains, and no top stands out that moves towards it: do not edit data by this ranking to lower the behaviour.";
/** With fewer pairs the verdict mostly misses 5% planted at 3 sd: 2 of 40 rankings of 100 are concentrated, 9 of 200, 29 of 500 (bench/verdict-simulation.ts). */
const FEW_PAIRS = 500;
/** Of a tail whose pairs, or a shift whose like, an unrelated behaviour has. */
const NOT_SPECIFIC =
  "What stands out does so for an unrelated behaviour as well, so it is not this behaviour's: do not edit data by this ranking; a scorer or a probe that takes out what the two share (--orthogonal-to, centred-cosine) may tell them apart.";
/** Of a tail beside which an unrelated behaviour has one as large, mostly of other pairs. */
const NOT_UNUSUAL =
  "About as many pairs stand out for an unrelated behaviour, so to stand out is nothing unusual among these pairs and no sign of this behaviour: do not edit data by this ranking; retraining without its top, beside as many random pairs, would tell.";

/** What the verdict is about. */
export interface JudgedRanking {
  /** Whether its method has one, see MethodTraits. */
  readonly hasVerdict: boolean;
  readonly doubt?: string | undefined;
  readonly scored: number;
  readonly null?: NullComparison | undefined;
  /** Rankings of the same pairs by unrelated behaviours, with overlaps at the sizes of the tails; default none. */
  readonly unrelated?: readonly UnrelatedComparison[] | undefined;
}

/**
 * The verdict on a ranking, against two nulls: directions of random signs, and unrelated behaviours where there are some. No signal: the
 * behaviour's vector is not stable. Concentrated: a tail at the top (of 10% to 0.1%) holds at least 1.5 times the pairs that the null's
 * shape, moved and stretched to the bulk of the scores, lets expect; its excess in standard errors is above that of any null direction in
 * any tail; and in no such tail has an unrelated behaviour half of the excess in the same pairs, or in others that are not at the bottom of
 * this ranking. Diffuse:
 * no such tail; the median is above the null's by more than that of any null direction is off it, and by a quarter of the spread; and
 * that of no unrelated behaviour of another direction (cosine below 0.5) by half as many spreads. Otherwise no signal. An unrelated
 * behaviour that is not stable at the layer takes nothing away. Median and lower quartile are the bulk: where more than about 40% of the pairs
 * carry the behaviour, they are moved themselves, and the verdict is diffuse however strong the push. For centred-cosine the median is that of the cosines
 * before the mean is taken out. Undefined without null directions, and for
 * bank-max: the largest of many cosines rises with the spread of the pairs as it does with a shift, and null banks that have the bank's
 * shape differ from it in more than meaning (bench/verdict-simulation.ts: 33% false alarms).
 */
export function signalVerdict(ranking: JudgedRanking): SignalVerdict | undefined {
  const { unrelated = [] } = ranking;
  const stable = unrelated.filter(({ doubt }) => doubt === undefined);
  const found = judge(ranking, stable);
  if (found === undefined) return undefined;
  const heldTo = stable.map(({ behavior }) => behavior);
  const notHeldTo = unrelated.flatMap(({ behavior, doubt }) =>
    doubt === undefined ? [] : [{ behavior, reason: `not stable at this layer (${doubt})` }],
  );
  return { ...found, heldTo, notHeldTo };
}

/** The verdict but for what it was held to. */
type Judgement = Omit<SignalVerdict, "heldTo" | "notHeldTo">;

function judge(
  { doubt, scored, hasVerdict, null: comparison }: JudgedRanking,
  unrelated: readonly UnrelatedComparison[],
): Judgement | undefined {
  if (doubt !== undefined) return verdict("no signal", doubt);
  if (comparison === undefined || !hasVerdict) return undefined;
  const { signal } = comparison;
  const beyond = tailsBeyond(signal);
  const explained = firstOf(beyond, (tail) =>
    firstOf(unrelated, (each) => explainTail(tail, scored, each)),
  );
  const [clearest] = beyond;
  if (clearest !== undefined && explained === undefined) {
    const most = Math.max(...beyond.map((tail) => tail.share - tail.expected));
    const excessPairs = Math.round(most * scored);
    return { ...verdict("concentrated", describeTail(clearest, signal)), excessPairs };
  }
  const isShifted =
    signal.shift > signal.largestNullShift && signal.shift >= MIN_SHIFT * signal.spread;
  const shared = isShifted ? firstOf(unrelated, (each) => explainShift(signal, each)) : undefined;
  if (isShifted && shared === undefined) {
    return verdict("diffuse", describeShift(signal, beyond));
  }
  const why = explained?.reason ?? shared;
  if (why === undefined) return unseen(signal, beyond, scored);
  const found = clearest === undefined ? describeShift(signal, []) : describeTail(clearest, signal);
  const meaning = explained?.samePairs === false ? NOT_UNUSUAL : NOT_SPECIFIC;
  return { ...verdict("no signal", `${found}; but ${why}`), meaning };
}

/** No signal, for want of one of its own: of too few pairs to know, against the behaviour, or nothing. */
function unseen(
  signal: SignalStatistics,
  beyond: readonly SignalTail[],
  scored: number,
): Judgement {
  const found = verdict("no signal", describeShift(signal, beyond));
  const { shift, largestNullShift, spread } = signal;
  const isAgainst = -shift > largestNullShift && -shift >= MIN_SHIFT * spread;
  if (scored >= FEW_PAIRS) return isAgainst ? { ...found, meaning: AGAINST } : found;
  const few = `Of ${scored} pairs the verdict cannot tell few that stand out from chance, so this says that it is not known, rather than that nothing is there`;
  return { ...found, meaning: `${few}: do not edit data by this ranking.` };
}

/** The tails that are told from the null directions, the clearest first. */
function tailsBeyond({ tails, largestNullExcess }: SignalStatistics): SignalTail[] {
  return tails
    .filter(
      ({ share, expected, excess }) =>
        share >= MIN_TAIL_RATIO * expected && excess > largestNullExcess,
    )
    .toSorted((a, b) => b.excess - a.excess);
}

function firstOf<T, Found>(
  items: readonly T[],
  find: (item: T) => Found | undefined,
): Found | undefined {
  return items.map(find).find((found) => found !== undefined);
}

function describeTail(tail: SignalTail, { largestNullExcess }: SignalStatistics): string {
  const { share, expected, excess, threshold } = tail;
  return `${percent(share)} of the pairs score above ${number(threshold)}, where the null's shape has ${percent(expected)}: ${excess.toFixed(1)} standard errors, single null directions at most ${largestNullExcess.toFixed(1)}`;
}

function describeShift(
  { shift, largestNullShift }: SignalStatistics,
  beyond: readonly SignalTail[],
): string {
  const tail =
    beyond.length === 0
      ? "no tail at the top beyond the null's shape"
      : "no tail at the top of its own";
  return `the median score is ${number(Math.abs(shift))} ${shift < 0 ? "below" : "above"} the null's (single null directions are off by at most ${number(largestNullShift)}), with ${tail}`;
}

function verdict(kind: Signal, reason: string): Judgement {
  return { kind, reason, meaning: MEANING[kind], excessPairs: 0 };
}

function number(value: number): string {
  return value.toPrecision(2);
}
