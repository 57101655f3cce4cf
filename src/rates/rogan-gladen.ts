import { type RateCells, rateInterval } from "../stats/clustered-rate.ts";
import { bisect } from "../stats/root.ts";
import { twoSidedQuantile } from "../stats/student-t.ts";
import { unifiedDistances } from "../stats/unified.ts";
import { addCounts, type CorrectedRate, type JudgeCells, rateCells, total } from "./judge-cells.ts";
import { fitJudge, type JudgeCounts } from "./judge-likelihood.ts";

const Z = 1.959963984540054;
const LEVEL = 0.05;
/** Of the labels' own interval where sensitivity is known: wide enough to cost half a per cent of misses at most. */
const LABELS_LEVEL = 0.01;
/** The variance over prompts beside that of independent rollouts is noisy: it narrows intervals by 5% at most. */
const LEAST_DESIGN = 0.9;

const unknown = (why: string): CorrectedRate => ({
  rate: undefined,
  low: undefined,
  high: undefined,
  why,
});

/**
 * Rogan and Gladen's rate (1978), (p + sp - 1) / (se + sp - 1): p the judge's rate, se and sp its sensitivity and specificity on the labelled rollouts.
 * Where no labelled rollout shows the behaviour the judge is taken to miss none, so the rate is the least that its verdicts allow.
 *
 * The interval has the rates that are not rejected: a test of each by the profile likelihood of verdicts and labels, with critical values that allow for 0
 * as the smallest rate (Feldman and Cousins 1998) and the variance over prompts. Where sensitivity is hardly known no rate is too large for
 * that; so the interval ends where that of the labels alone does.
 */
export function roganGladen(cells: JudgeCells): CorrectedRate {
  const counts = countsOf(cells);
  const { positives, negatives, unlabelled } = counts;
  if (positives + negatives === 0) return unknown("nothing is labelled");
  const rate = estimate(counts);
  if (rate === undefined) return unknown(`no correction: ${whatJudgeFound(counts)}`);
  if (unlabelled === 0) {
    const { low, high } = rateInterval(labelCells(cells), LEVEL);
    return { rate, low: Math.min(rate, low), high: Math.max(rate, high), why: undefined };
  }
  if (rate > 0.5) {
    const { low, high } = interval(mirrored(cells), 1 - rate);
    return { rate, low: 1 - high, high: 1 - low, why: undefined };
  }
  return { rate, ...interval(cells, rate), why: undefined };
}

/** What the labels say of a judge that has no correction: they may be too few to say more. */
function whatJudgeFound({ positives, hits, negatives, alarms }: JudgeCounts): string {
  const found = `the judge found ${hits} of the ${positives} labelled that show it`;
  const alarmed = `it says shows of ${alarms} of the ${negatives} that do not`;
  if (positives === 0)
    return `no labelled rollout shows it, and the judge says shows of all ${negatives}`;
  return alarms === 0 ? found : `${found}, and ${alarmed}`;
}

function countsOf(cells: JudgeCells): JudgeCounts {
  const [hits, alarms] = [total(cells.bothShow), total(cells.judgeOnly)];
  const calls = total(cells.unlabelledShow);
  return {
    positives: hits + total(cells.personOnly),
    hits,
    negatives: alarms + total(cells.neither),
    alarms,
    unlabelled: calls + total(cells.unlabelledNot),
    calls,
  };
}

/** The same with the opposite of the behaviour: the rate becomes 1 - rate. */
function mirrored(cells: JudgeCells): JudgeCells {
  return {
    prompts: cells.prompts,
    bothShow: cells.neither,
    judgeOnly: cells.personOnly,
    personOnly: cells.judgeOnly,
    neither: cells.bothShow,
    unlabelledShow: cells.unlabelledNot,
    unlabelledNot: cells.unlabelledShow,
  };
}

interface Observed {
  readonly calls: number;
  readonly sensitivity: number;
  readonly falseAlarms: number;
}

function observed({
  positives,
  hits,
  negatives,
  alarms,
  unlabelled,
  calls,
}: JudgeCounts): Observed {
  return {
    calls: (calls + hits + alarms) / (positives + negatives + unlabelled),
    sensitivity: positives === 0 ? 1 : hits / positives,
    falseAlarms: negatives === 0 ? 0 : alarms / negatives,
  };
}

/** Undefined where the judge calls labelled rollouts that show it no more often than those that do not. */
function estimate(counts: JudgeCounts): number | undefined {
  const { calls, sensitivity, falseAlarms } = observed(counts);
  if (sensitivity <= falseAlarms) return undefined;
  return Math.max(0, Math.min(1, (calls - falseAlarms) / (sensitivity - falseAlarms)));
}

function labelCells({ bothShow, judgeOnly, personOnly, neither }: JudgeCells): RateCells {
  return rateCells(addCounts(bothShow, personOnly), addCounts(judgeOnly, neither));
}

/** The ends for a rate of at most a half. */
function interval(cells: JudgeCells, rate: number): { low: number; high: number } {
  const counts = countsOf(cells);
  const spread =
    Math.sqrt(design(cells, counts, rate)) *
    (twoSidedQuantile(LEVEL, Math.max(1, cells.prompts - 1)) / Z);
  const root = (value: number): number => signedRoot(counts, value) / spread;
  const atZero = root(0);
  const isTooSmall = (value: number): boolean => {
    const found = root(value);
    return found > unifiedDistances(atZero - found).above;
  };
  const isTooLarge = (value: number): boolean => {
    const found = root(value);
    return found < -unifiedDistances(atZero - found).below;
  };
  /** The last value from the rate towards `outside` that is not rejected. */
  const inner = (isOutside: (value: number) => boolean, outside: number): number =>
    bisect((value) => !isOutside(value), rate, outside, 40)[0];
  const level = isTooLarge(1) ? LABELS_LEVEL : LEVEL;
  const most = Math.max(rate, rateInterval(labelCells(cells), level).high);
  return {
    low: isTooSmall(0) ? inner(isTooSmall, 0) : 0,
    high: isTooLarge(most) ? inner(isTooLarge, most) : most,
  };
}

/**
 * How far the rate found is above `rate`, about standard normal if rollouts are independent: the unlabelled rollouts' signed root of the likelihood, and
 * how many labelled rollouts show it, weighted as they are in Rogan and Gladen's rate over all rollouts.
 */
function signedRoot(counts: JudgeCounts, rate: number): number {
  const { root, sensitivity, falseAlarms } = fitJudge(counts, rate);
  const { ofUnlabelled, ofLabels } = variances(counts, rate, { sensitivity, falseAlarms });
  if (ofUnlabelled + ofLabels === 0) return root;
  const { positives, negatives, unlabelled } = counts;
  const labelled = positives + negatives;
  const shown =
    ((sensitivity - falseAlarms) * (positives - rate * labelled)) / (labelled + unlabelled);
  return (root * Math.sqrt(ofUnlabelled) + shown) / Math.sqrt(ofUnlabelled + ofLabels);
}

/** Variance of calls - falseAlarms - rate · (sensitivity - falseAlarms) for independent rollouts. */
function variances(
  { positives, negatives, unlabelled }: JudgeCounts,
  rate: number,
  { sensitivity, falseAlarms }: Omit<Observed, "calls">,
): { readonly ofUnlabelled: number; readonly ofLabels: number } {
  const labelled = positives + negatives;
  const all = labelled + unlabelled;
  const binomial = (share: number, of: number): number =>
    of === 0 ? 0 : (share * (1 - share)) / of;
  const calls = (1 - rate) * falseAlarms + rate * sensitivity;
  const apart =
    binomial(calls, unlabelled) +
    (1 - rate) ** 2 * binomial(falseAlarms, negatives) +
    rate ** 2 * binomial(sensitivity, positives);
  return {
    ofUnlabelled: (unlabelled / all) ** 2 * apart,
    ofLabels: ((labelled / all) * (sensitivity - falseAlarms)) ** 2 * binomial(rate, labelled),
  };
}

/** How much larger the variance is over prompts than over independent rollouts. */
function design(cells: JudgeCells, counts: JudgeCounts, rate: number): number {
  const { prompts, bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } =
    cells;
  const found = observed(counts);
  const all = counts.positives + counts.negatives + counts.unlabelled;
  const { ofUnlabelled, ofLabels } = variances(counts, rate, found);
  if (ofUnlabelled + ofLabels === 0) return 1;
  let squares = 0;
  for (let p = 0; p < prompts; p++) {
    const [hits, alarms] = [bothShow[p]!, judgeOnly[p]!];
    const [positives, negatives] = [hits + personOnly[p]!, alarms + neither[p]!];
    const called = hits + alarms + unlabelledShow[p]!;
    const rollouts = positives + negatives + unlabelledShow[p]! + unlabelledNot[p]!;
    const ofAlarms = (alarms - found.falseAlarms * negatives) / Math.max(1, counts.negatives);
    const ofHits = (hits - found.sensitivity * positives) / Math.max(1, counts.positives);
    squares +=
      ((called - found.calls * rollouts) / all - (1 - rate) * ofAlarms - rate * ofHits) ** 2;
  }
  const joint = prompts < 2 ? squares : (squares * prompts) / (prompts - 1);
  return Math.max(LEAST_DESIGN, joint / (ofUnlabelled + ofLabels));
}
