import { gramCoordinates } from "../stats/cholesky.ts";
import { gramMatrix } from "../stats/gram.ts";
import type { Rng } from "../util/rng.ts";
import { drawFolds, membersOutside, membersWithin } from "./held-out.ts";
import { type LabelledRows, requireTwoClasses } from "./labelled-rows.ts";
import {
  fitLogistic,
  logisticLoss,
  type LogisticFit,
  type LogisticProblem,
} from "./logistic-fit.ts";

/**
 * The strengths C to choose from. The rows of a training are scaled to a mean squared length of 1, so that they mean the same at every layer and
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
    settings: { readonly strength: number; readonly tolerance?: number | undefined },
  ): Float64Array;
}

/**
 * Prepares the rows once, in coordinates of their own span, so that a fit costs m x min(m, D) however many dimensions there are. What a
 * training learns follows from its own rows alone: their mean is taken off, and they are scaled as a whole. There is no scaling by dimension:
 * the penalty is then on the length of the direction in the residual stream, whatever its basis. Throws ConfigError for too many rows.
 */
export function createLogisticProbe(rows: LabelledRows): LogisticProbe {
  // For rounding alone: the origin of the coordinates is the middle of all rows.
  const centred = centreRows(rows);
  const { dim, weights } = rows;
  const count = weights.length;
  const { rank, rows: coordinates } =
    dim <= count ? { rank: dim, rows: centred } : gramCoordinates(gramMatrix(centred, dim), count);
  const select = (members: Int32Array, labels: Uint8Array, frame: Frame): LogisticProblem => {
    const selected = new Float64Array(members.length * rank);
    for (const [k, i] of members.entries()) {
      for (let j = 0; j < rank; j++) {
        selected[k * rank + j] = (coordinates[i * rank + j]! - frame.mean[j]!) / frame.scale;
      }
    }
    return {
      rank,
      rows: selected,
      labels: Uint8Array.from(members, (i) => labels[i]!),
      weights: Float64Array.from(members, (i) => weights[i]! / frame.weight),
    };
  };
  const frameOf = (members: Int32Array): Frame => measureFrame(coordinates, weights, members);
  return {
    chooseStrength(members, labels, rng) {
      requireTwoClasses(labels, members);
      const folds = drawFolds(rows.prompts, members, { folds: INNER_FOLDS, rng });
      const losses = STRENGTHS.map(() => 0);
      for (let fold = 0; fold < folds.count; fold++) {
        const others = membersOutside(folds, fold);
        const frame = frameOf(others);
        const training = select(others, labels, frame);
        const held = select(membersWithin(folds, fold), labels, frame);
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
      const frame = frameOf(members);
      const fit = fitLogistic(select(members, labels, frame), { strength, tolerance });
      return combineRows({ rows: centred, dim }, members, frame.scale, fit);
    },
  };
}

/** Where the rows of a training lie: their mean [r], the root mean square of their distances from it, and their mean weight. */
interface Frame {
  readonly mean: Float64Array;
  readonly scale: number;
  readonly weight: number;
}

function measureFrame(
  coordinates: Float64Array,
  weights: Float64Array,
  members: Int32Array,
): Frame {
  const rank = coordinates.length / weights.length;
  const mean = new Float64Array(rank);
  let weight = 0;
  for (const i of members) {
    weight += weights[i]! / members.length;
    for (let j = 0; j < rank; j++) mean[j]! += coordinates[i * rank + j]! / members.length;
  }
  let square = 0;
  for (const i of members) {
    for (let j = 0; j < rank; j++) square += (coordinates[i * rank + j]! - mean[j]!) ** 2;
  }
  const scale = Math.sqrt(square / members.length);
  return { mean, scale: scale > 0 ? scale : 1, weight };
}

/** The weights as the sum of the rows by their residuals, which sum to 0 at the optimum: it holds in any coordinates, from any origin. */
function combineRows(
  { rows, dim }: { readonly rows: Float64Array; readonly dim: number },
  members: Int32Array,
  scale: number,
  { residuals }: LogisticFit,
): Float64Array {
  const direction = new Float64Array(dim);
  for (const [k, i] of members.entries()) {
    const factor = residuals[k]! / scale;
    for (let j = 0; j < dim; j++) direction[j]! += factor * rows[i * dim + j]!;
  }
  return direction;
}

/** The rows less their mean. */
function centreRows({ rows, dim }: LabelledRows): Float64Array {
  const count = rows.length / dim;
  const mean = new Float64Array(dim);
  for (let i = 0; i < rows.length; i++) mean[i % dim]! += rows[i]! / count;
  return Float64Array.from(rows, (value, i) => value - mean[i % dim]!);
}
