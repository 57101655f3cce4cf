import { gramCoordinates } from "../util/cholesky.ts";
import { gramMatrix } from "../util/gram.ts";
import type { Rng } from "../util/rng.ts";
import { drawFolds, membersOutside, membersWithin } from "./folds.ts";
import { type LabelledRows, requireTwoClasses } from "./labelled-rows.ts";
import {
  fitLogistic,
  logisticLoss,
  type LogisticFit,
  type LogisticProblem,
} from "./logistic-fit.ts";

/**
 * The strengths C to choose from. Rows are scaled to a mean squared length of 1, so that they mean the same at every layer and
 * for every checkpoint: at the lowest the direction is nearly the mean difference, at the highest nearly that of the widest
 * margin.
 */
export const STRENGTHS: readonly number[] = [1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** Choosing C looks at losses in the third digit; the direction that is kept is solved further. */
const CHOOSING_TOLERANCE = 1e-2;
/** For many directions of which only the distribution matters. */
export const ROUGH_TOLERANCE = 1e-3;
const FINAL_TOLERANCE = 1e-7;
const INNER_FOLDS = 3;

/** Logistic regressions on subsets of one layer's rows. */
export interface LogisticProbe {
  /**
   * The C of STRENGTHS with the lowest held-out loss, by cross-validation of `members` grouped by prompt; the smallest of
   * equals.
   */
  chooseStrength(members: Int32Array, labels: Uint8Array, rng: Rng): number;
  /** The weights in the residual stream, [D], of rows scaled as at STRENGTHS; to 1e-7 of their length by default. */
  train(
    members: Int32Array,
    labels: Uint8Array,
    settings: { readonly strength: number; readonly tolerance?: number },
  ): Float64Array;
}

/**
 * Prepares the rows once: centred, scaled as a whole, and in coordinates of their own span, so that a fit costs m x min(m, D)
 * however many dimensions there are. There is no scaling by dimension: the penalty is then on the length of the direction in the
 * residual stream, whatever its basis. Throws ConfigError for too many rows.
 */
export function createLogisticProbe(rows: LabelledRows): LogisticProbe {
  const centred = scaleRows(rows);
  const { dim, weights } = rows;
  const count = weights.length;
  const { rank, rows: coordinates } =
    dim <= count ? { rank: dim, rows: centred } : gramCoordinates(gramMatrix(centred, dim), count);
  const meanWeight = weights.reduce((sum, each) => sum + each, 0) / count;
  const select = (members: Int32Array, labels: Uint8Array): LogisticProblem => {
    const selected = new Float64Array(members.length * rank);
    for (const [k, i] of members.entries()) {
      selected.set(coordinates.subarray(i * rank, (i + 1) * rank), k * rank);
    }
    return {
      rank,
      rows: selected,
      labels: Uint8Array.from(members, (i) => labels[i]!),
      weights: Float64Array.from(members, (i) => weights[i]! / meanWeight),
    };
  };
  return {
    chooseStrength(members, labels, rng) {
      requireTwoClasses(labels, members);
      const folds = drawFolds(rows.prompts, members, { folds: INNER_FOLDS, rng });
      const losses = STRENGTHS.map(() => 0);
      for (let fold = 0; fold < folds.count; fold++) {
        const training = select(membersOutside(folds, fold), labels);
        const held = select(membersWithin(folds, fold), labels);
        let start: Float64Array | undefined;
        for (const [k, strength] of STRENGTHS.entries()) {
          const fit = fitLogistic(training, { strength, tolerance: CHOOSING_TOLERANCE, start });
          start = fit.parameters;
          losses[k]! += logisticLoss(held, start) * held.labels.length;
        }
      }
      return STRENGTHS[losses.indexOf(Math.min(...losses))]!;
    },
    train(members, labels, { strength, tolerance = FINAL_TOLERANCE }) {
      requireTwoClasses(labels, members);
      const fit = fitLogistic(select(members, labels), { strength, tolerance });
      return combineRows(centred, dim, members, fit);
    },
  };
}

/** The weights as the sum of the rows by their residuals, which holds at the optimum in any coordinates. */
function combineRows(
  centred: Float64Array,
  dim: number,
  members: Int32Array,
  { residuals }: LogisticFit,
): Float64Array {
  const direction = new Float64Array(dim);
  for (const [k, i] of members.entries()) {
    const residual = residuals[k]!;
    for (let j = 0; j < dim; j++) direction[j]! += residual * centred[i * dim + j]!;
  }
  return direction;
}

/** The rows less their mean, over the root mean square of their lengths. */
function scaleRows({ rows, dim }: LabelledRows): Float64Array {
  const count = rows.length / dim;
  const mean = new Float64Array(dim);
  for (let i = 0; i < rows.length; i++) mean[i % dim]! += rows[i]! / count;
  const centred = Float64Array.from(rows, (value, i) => value - mean[i % dim]!);
  let square = 0;
  for (const value of centred) square += value * value;
  const scale = Math.sqrt(square / count);
  return scale > 0 ? centred.map((value) => value / scale) : centred;
}
