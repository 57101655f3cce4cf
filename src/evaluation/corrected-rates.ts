/** @file The rate that people would find, from a judge's verdicts on all rollouts and people's labels on some of them. */
import { clusteredRate, type ClusteredRate, scoreInterval } from "../util/clustered-rate.ts";
import { addCounts, type JudgeCells, rateCells, total } from "./judge-cells.ts";

/** A corrected rate with its 95% interval; all undefined where it cannot be had, and `why` says why. */
export interface CorrectedRate {
  readonly rate: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly why: string | undefined;
}

/** The same rate by several ways. Labelled rollouts are taken to be drawn from all by chance. */
export interface CorrectedRates {
  /** As the judge says, its errors left in. */
  readonly judge: ClusteredRate;
  /** The labelled rollouts alone. */
  readonly people: ClusteredRate;
  readonly roganGladen: CorrectedRate;
  readonly ppi: PpiRate;
}

/** A prediction-powered rate; `weight` is how far the judge is relied on, 0 to 1. */
export interface PpiRate extends CorrectedRate {
  readonly weight: number | undefined;
}

const Z = 1.959963984540054;

/** Corrects a judge's rate for its errors. */
export function correctedRates(cells: JudgeCells): CorrectedRates {
  const { judge, people } = ratesOf(cells);
  return { judge, people, roganGladen: roganGladen(cells), ppi: predictionPowered(cells) };
}

const unknown = (why: string): CorrectedRate => ({
  rate: undefined,
  low: undefined,
  high: undefined,
  why,
});

function ratesOf(cells: JudgeCells): { judge: ClusteredRate; people: ClusteredRate } {
  const { bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } = cells;
  return {
    judge: rateOf(
      addCounts(bothShow, judgeOnly, unlabelledShow),
      addCounts(personOnly, neither, unlabelledNot),
    ),
    people: rateOf(addCounts(bothShow, personOnly), addCounts(judgeOnly, neither)),
  };
}

function rateOf(shows: Float64Array, other: Float64Array): ClusteredRate {
  return clusteredRate(rateCells(shows, other));
}

/**
 * Rogan and Gladen's rate (1978), (p + sp - 1) / (se + sp - 1): p the judge's rate, se and sp its sensitivity and specificity on the
 * labelled rollouts. The interval is Lang and Reiczigel's (2014), with the numbers of independent rollouts in place of all.
 */
export function roganGladen(cells: JudgeCells): CorrectedRate {
  const { bothShow, judgeOnly, personOnly, neither } = cells;
  const { judge } = ratesOf(cells);
  const se = rateOf(bothShow, personOnly);
  const sp = rateOf(neither, judgeOnly);
  if (se.rate === undefined) return unknown("no labelled rollout shows it");
  if (sp.rate === undefined) return unknown("every labelled rollout shows it");
  const raw = (judge.rate! + sp.rate - 1) / (se.rate + sp.rate - 1); // labelled ones are judged
  if (se.rate + sp.rate <= 1) return unknown("the judge is no better than chance");
  const p = shrunk(judge, Z * Z);
  const s = shrunk(se, 2);
  const c = shrunk(sp, 2);
  const youden = s.rate + c.rate - 1;
  if (youden <= 0) return unknown("too few labels to tell the judge from chance");
  const rate = (p.rate + c.rate - 1) / youden;
  const shift = 2 * Z * Z * (rate * s.variance - (1 - rate) * c.variance);
  const variance = p.variance + rate * rate * s.variance + (1 - rate) ** 2 * c.variance;
  const half = (Z * Math.sqrt(variance * jointShare(cells, clip(raw)))) / youden;
  return {
    rate: clip(raw),
    low: clip(Math.min(raw, rate + shift - half)),
    high: clip(Math.max(raw, rate + shift + half)),
    why: undefined,
  };
}

/** Below this the share is noise, and so it is with fewer labelled rollouts of either kind. */
const SMALLEST_SHARE = 0.1;
const FEWEST_LABELS = 5;

/**
 * How large the variance over prompts is beside that of three independent parts, 1 at most: a prompt that the judge errs on moves its rate
 * and its measured errors together, and most of that cancels in the corrected rate.
 */
function jointShare(cells: JudgeCells, rate: number): number {
  const { bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } = cells;
  const shows = total(bothShow) + total(personOnly);
  const not = total(neither) + total(judgeOnly);
  if (Math.min(shows, not) < FEWEST_LABELS) return 1;
  const judge = deviations(
    addCounts(bothShow, judgeOnly, unlabelledShow),
    addCounts(personOnly, neither, unlabelledNot),
  ).errors;
  const se = deviations(bothShow, personOnly).errors.map((error) => -rate * error);
  const sp = deviations(neither, judgeOnly).errors.map((error) => (1 - rate) * error);
  const apart = product(judge, judge) + product(se, se) + product(sp, sp);
  const joint = addCounts(judge, se, sp);
  return apart === 0 ? 1 : Math.max(SMALLEST_SHARE, Math.min(1, product(joint, joint) / apart));
}

/** A rate with `more` rollouts added, half of them showing, and its binomial variance. */
function shrunk(
  { rate, effective }: ClusteredRate,
  more: number,
): { readonly rate: number; readonly variance: number } {
  const moved = (effective * rate! + more / 2) / (effective + more); // callers have a rate
  return { rate: moved, variance: (moved * (1 - moved)) / (effective + more) };
}

/**
 * The prediction-powered rate, PPI++ (Angelopoulos, Duchi and Zrnic 2023): the labelled rate, moved by `weight` times what the judge says of
 * unlabelled less what it says of labelled rollouts; the weight has the least variance over prompts. The interval joins those of
 * the labelled rate and of the fully corrected one, judge's rate + missed - false alarms, so that it keeps a width where no error was
 * seen.
 */
export function predictionPowered(cells: JudgeCells): PpiRate {
  const { people } = ratesOf(cells);
  if (people.rate === undefined) return { ...unknown("nothing is labelled"), weight: undefined };
  const { weight, correlation, difference } = tuneWeight(cells);
  const rate = people.rate + weight * difference;
  const full = fullyCorrected(cells, people);
  const joined = (own: number, other: number): number =>
    Math.sqrt(
      ((1 - weight) * own) ** 2 +
        (weight * other) ** 2 +
        2 * correlation * weight * (1 - weight) * own * other,
    );
  return {
    rate: clip(rate),
    low: clip(rate - joined(people.rate - people.low!, full.down)),
    high: clip(rate + joined(people.high! - people.rate, full.up)),
    weight,
    why: undefined,
  };
}

interface Tuned {
  readonly weight: number;
  /** Of the errors of the labelled and of the fully corrected rate. */
  readonly correlation: number;
  /** What the judge says of unlabelled less what it says of labelled rollouts. */
  readonly difference: number;
}

function tuneWeight(cells: JudgeCells): Tuned {
  const { bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } = cells;
  const rest = total(unlabelledShow) + total(unlabelledNot);
  if (rest === 0) return { weight: 0, correlation: 1, difference: 0 };
  const people = deviations(addCounts(bothShow, personOnly), addCounts(judgeOnly, neither));
  const labelled = deviations(addCounts(bothShow, judgeOnly), addCounts(personOnly, neither));
  const unlabelled = deviations(unlabelledShow, unlabelledNot);
  const moved = unlabelled.errors.map((error, p) => error - labelled.errors[p]!);
  const spread = product(moved, moved);
  const weight = spread === 0 ? 0 : clip(-product(people.errors, moved) / spread);
  const full = people.errors.map((error, p) => error + moved[p]!);
  const scale = Math.sqrt(product(people.errors, people.errors) * product(full, full));
  return {
    weight,
    correlation: scale === 0 ? 1 : product(people.errors, full) / scale,
    difference: unlabelled.rate - labelled.rate,
  };
}

/** A rate and what each prompt adds to its error. */
function deviations(
  shows: Float64Array,
  other: Float64Array,
): { readonly rate: number; readonly errors: Float64Array } {
  const all = total(shows) + total(other);
  const rate = total(shows) / all;
  const errors = shows.map((count, p) => (count - rate * (count + other[p]!)) / all);
  return { rate, errors };
}

/**
 * Distances from the fully corrected rate to the ends of its interval (MOVER: Donner and Zou 2012). An error that was never seen says
 * nothing of how it hangs together within prompts; what people say then stands in for it.
 */
function fullyCorrected(cells: JudgeCells, people: ClusteredRate): { down: number; up: number } {
  const { bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } = cells;
  const ends = (shows: Float64Array, ...other: readonly Float64Array[]): Distances =>
    total(shows) === 0 ? unseen(people) : distances(rateOf(shows, addCounts(...other)));
  const judge = distances(rateOf(unlabelledShow, unlabelledNot));
  const missed = ends(personOnly, bothShow, judgeOnly, neither);
  const alarms = ends(judgeOnly, bothShow, personOnly, neither);
  return {
    down: Math.hypot(judge.down, missed.down, alarms.up),
    up: Math.hypot(judge.up, missed.up, alarms.down),
  };
}

interface Distances {
  readonly down: number;
  readonly up: number;
}

function distances({ rate = 0, low = 0, high = 0 }: ClusteredRate): Distances {
  return { down: rate - low, up: high - rate };
}

function unseen({ effective }: ClusteredRate): Distances {
  return { down: 0, up: scoreInterval({ rate: 0, effective }, Z).high };
}

const clip = (value: number): number => Math.max(0, Math.min(1, value));

function product(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, p) => sum + value * b[p]!, 0);
}
