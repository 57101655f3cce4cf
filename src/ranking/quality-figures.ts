/**
 * @file AUROC, average precision and recall of a ranking, each with a 95% interval. True figures are those of endlessly many pairs of the same
 * kinds and shares. Equal scores count by expectation over their orders (in average precision, as in scikit-learn, by one threshold).
 * bench/quality-coverage.ts says how often the intervals hold the truth.
 */
import { aurocInterval } from "../stats/auroc-interval.ts";
import { wilsonShare } from "../stats/wilson.ts";
import type { Estimate } from "./ranking-quality.ts";

/** Pairs of one score, or without one. */
export interface EqualScores {
  /** Planted pairs, and others. */
  readonly hits: number;
  readonly others: number;
}

/** Groups from the highest score down, and what they hold together; one pair of either kind at least. */
export interface RankedGroups {
  readonly groups: readonly EqualScores[];
  readonly planted: number;
  readonly others: number;
}

/** How often a planted pair scores above another. */
export function estimateAuroc({ groups, planted, others }: RankedGroups): Estimate {
  const placements = new Float64Array(planted);
  let filled = 0;
  let below = others;
  let sum = 0;
  for (const group of groups) {
    below -= group.others;
    const placed = below + group.others / 2;
    placements.fill(placed / others, filled, filled + group.hits);
    filled += group.hits;
    sum += placed * group.hits;
  }
  return { value: sum / planted / others, ...aurocInterval(placements, others) };
}

/** Misplaced pairs that weigh as much as the guess that each planted pair is a trial of its own. */
const PRIOR_PAIRS = 10;

/**
 * Mean over the planted pairs of the precision down to each. Interval: Wilson's, of as many trials as give the variance of the figure, which
 * is that of its influence function: what one more pair of a kind with that score would add.
 */
export function estimateAveragePrecision(ranked: RankedGroups): Estimate {
  const { planted, others } = ranked;
  const share = planted / (planted + others);
  const places = precisions(ranked);
  const value = places.reduce((sum, { precision, hits }) => sum + precision * hits, 0) / planted;
  const ofHit = new Moments();
  const ofOther = new Moments();
  let byHit = 0;
  let byOther = 0;
  let hitsBelow = 0;
  let othersAbove = 0;
  // A pair counts in every precision at its score and below.
  for (const { precision, recall, fallOut, hits, others: here } of places.toReversed()) {
    const total = share * recall + (1 - share) * fallOut;
    const slope = (share * (1 - share) * hits) / planted / (total * total);
    if (hits > 0) {
      byHit += slope * fallOut;
      byOther -= slope * recall;
    }
    ofHit.add(precision + byHit, hits);
    ofOther.add(byOther, here);
    if (fallOut > 0) hitsBelow += hits;
    if (recall < 1) othersAbove += here;
  }
  const variance = ofHit.variance / planted + ofOther.variance / others;
  const trials = variance > 0 ? (value * (1 - value)) / variance : planted;
  // What a variance says that few pairs have made is drawn to one trial for each planted pair.
  const misplaced = Math.min(hitsBelow, othersAbove);
  const weighted = (misplaced * trials + PRIOR_PAIRS * planted) / (misplaced + PRIOR_PAIRS);
  return { value, ...interval(value, weighted) };
}

interface Place extends EqualScores {
  /** Down to here, this group included. */
  readonly precision: number;
  readonly recall: number;
  readonly fallOut: number;
}

function precisions({ groups, planted, others }: RankedGroups): readonly Place[] {
  let found = 0;
  let wrong = 0;
  return groups.map((group) => {
    found += group.hits;
    wrong += group.others;
    return {
      ...group,
      precision: found / (found + wrong),
      recall: found / planted,
      fallOut: wrong / others,
    };
  });
}

/** Variance of values that stand several times each. */
class Moments {
  private count = 0;
  private sum = 0;
  private squares = 0;

  add(value: number, times: number): void {
    this.count += times;
    this.sum += value * times;
    this.squares += value * value * times;
  }

  get variance(): number {
    const mean = this.sum / this.count;
    return Math.max(0, this.squares / this.count - mean * mean);
  }
}

export interface TopEstimate {
  /** Planted pairs among the first k; those of a score that the top cuts in proportion. */
  readonly found: number;
  readonly recall: Estimate;
  readonly precision: Estimate;
}

/**
 * Recall and precision of the first k pairs. Interval: Wilson's, of as many trials as give the variance of a share above a threshold that
 * moves with the scores: where it is planted pairs that stand around it, one more of them above pushes another below.
 */
export function estimateTop(ranked: RankedGroups, k: number): TopEstimate {
  const { planted, others } = ranked;
  const found = countTop(ranked, k);
  const most = Math.min(k, planted);
  const value = found / most;
  // Of a share that is not 0 or 1, or there would be no variance.
  const recall = Math.min(planted - 0.5, Math.max(0.5, found)) / planted;
  const fallOut = Math.min(others - 0.5, Math.max(0.5, k - found)) / others;
  const variance = Math.max(
    ...localPrecisions(ranked, k).map(
      (local) =>
        ((1 - local) ** 2 * recall * (1 - recall)) / planted +
        ((local * others) / planted) ** 2 * ((fallOut * (1 - fallOut)) / others),
    ),
  );
  const smooth = (recall * planted) / most;
  const inside = Math.min(1 - 0.5 / most, Math.max(0.5 / most, smooth));
  const trials = (inside * (1 - inside)) / (variance * (planted / most) ** 2);
  const { low, high } = interval(value, trials);
  const scaled = (by: number): Estimate => ({ value: value * by, low: low * by, high: high * by });
  return { found, recall: scaled(most / planted), precision: scaled(most / k) };
}

/** Planted pairs among the first k, in expectation over the orders of equal scores. */
function countTop({ groups }: RankedGroups, k: number): number {
  let left = k;
  let found = 0;
  for (const { hits, others } of groups) {
    const taken = Math.min(left, hits + others);
    found += (hits * taken) / (hits + others);
    left -= taken;
    if (left === 0) break;
  }
  return found;
}

/** What the share planted of the pairs around place k may be: one standard deviation down and up from that of about √k on either side. */
function localPrecisions(ranked: RankedGroups, k: number): readonly number[] {
  const pairs = ranked.planted + ranked.others;
  const reach = Math.max(3, Math.round(Math.sqrt(Math.min(k, ranked.planted))));
  const [from, to] = [Math.max(0, k - reach), Math.min(pairs, k + reach)];
  const share = (countTop(ranked, to) - countTop(ranked, from) + 0.5) / (to - from + 1);
  const spread = Math.sqrt((share * (1 - share)) / (to - from + 1));
  return [Math.max(0, share - spread), Math.min(1, share + spread)];
}

function interval(value: number, trials: number): { low: number; high: number } {
  const { low, high } = wilsonShare(value * trials, trials);
  return { low: Math.min(value, low!), high: Math.max(value, high!) }; // trials are above 0
}
