import type { ClusteredRate } from "../util/clustered-rate.ts";
import type { CorrectedRate } from "./corrected-rate.ts";
import { addCounts, type JudgeCells, rateOf, total } from "./judge-cells.ts";

const Z = 1.959963984540054;

const unknown = (why: string): CorrectedRate => ({
  rate: undefined,
  low: undefined,
  high: undefined,
  why,
});

/**
 * Rogan and Gladen's rate (1978), (p + sp - 1) / (se + sp - 1): p the judge's rate, se and sp its sensitivity and specificity on the
 * labelled rollouts. The interval is Lang and Reiczigel's (2014), with the numbers of independent rollouts in place of all.
 */
export function roganGladen(cells: JudgeCells): CorrectedRate {
  const { bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } = cells;
  const judge = rateOf(
    addCounts(bothShow, judgeOnly, unlabelledShow),
    addCounts(personOnly, neither, unlabelledNot),
  );
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

/** Below this the share is noise; so it is with fewer labelled rollouts that do not show it, and sensitivity's part with fewer that do. */
const SMALLEST_SHARE = 0.1;
const FEWEST_LABELS = 5;
/** With few that show it sensitivity is hardly known, and not all that cancels makes the rate better known: by simulation a third of it. */
const FEW_COUNT = 1 / 3;

/**
 * How large the variance over prompts is beside that of three independent parts, 1 at most: a prompt that the judge errs on moves its rate
 * and its measured errors together, and most of that cancels in the corrected rate. So does what labelled rollouts are part of all.
 */
function jointShare(cells: JudgeCells, rate: number): number {
  const { bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } = cells;
  if (total(neither) + total(judgeOnly) < FEWEST_LABELS) return 1;
  const hasFew = total(bothShow) + total(personOnly) < FEWEST_LABELS;
  const judge = deviations(
    addCounts(bothShow, judgeOnly, unlabelledShow),
    addCounts(personOnly, neither, unlabelledNot),
  ).errors;
  const se = deviations(bothShow, personOnly).errors.map((error) => (hasFew ? 0 : -rate * error));
  const sp = deviations(neither, judgeOnly).errors.map((error) => (1 - rate) * error);
  const apart = product(judge, judge) + product(se, se) + product(sp, sp);
  const joint = addCounts(judge, se, sp);
  const share =
    apart === 0 ? 1 : Math.max(SMALLEST_SHARE, Math.min(1, product(joint, joint) / apart));
  return hasFew ? 1 - FEW_COUNT * (1 - share) : share;
}

/** A rate with `more` rollouts added, half of them showing, and its binomial variance. */
function shrunk(
  { rate, effective }: ClusteredRate,
  more: number,
): { readonly rate: number; readonly variance: number } {
  const moved = (effective * rate! + more / 2) / (effective + more); // callers have a rate
  return { rate: moved, variance: (moved * (1 - moved)) / (effective + more) };
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

const clip = (value: number): number => Math.max(0, Math.min(1, value));

function product(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, p) => sum + value * b[p]!, 0);
}
