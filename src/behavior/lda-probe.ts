/**
 * @file The mean difference whitened by the covariance within the classes: Fisher's linear discriminant.
 *
 * The covariance is scikit-learn's for `shrinkage="auto"`: the mean over the classes, weighted by their sizes, of each class's
 * covariance with its correlations shrunk towards zero by Ledoit and Wolf's intensity (variances are kept). With fewer rows than
 * dimensions it is diagonal plus low rank, and solved in the space of the rows (Woodbury's identity).
 */
import { choleskyFactor, choleskySolve } from "../stats/cholesky.ts";
import { gramMatrix } from "../stats/gram.ts";
import { RuntimeError } from "../util/errors.ts";
import { type LabelledRows, requireTwoClasses } from "./labelled-rows.ts";

/** A factored covariance of D dimensions. */
export interface Whitening {
  /** Covariance⁻¹ times a vector [D]. */
  solve(vector: Float64Array): Float64Array;
}

/**
 * The shrunk covariance within the classes of the rows at `members`, every row the same weight. Costs m² D, or m D² + D³ where
 * there are fewer dimensions than rows. Throws ConfigError for one class or too many rows, RuntimeError where there are too few
 * rows to estimate any covariance.
 */
export function createWhitening(
  rows: LabelledRows,
  members: Int32Array,
  labels: Uint8Array,
): Whitening {
  requireTwoClasses(labels, members);
  const { dim } = rows;
  const diagonal = new Float64Array(dim);
  const scaled = new Float64Array(members.length * dim);
  let filled = 0;
  for (const label of [0, 1]) {
    const group = members.filter((i) => labels[i] === label);
    const part = scaled.subarray(filled * dim, (filled + group.length) * dim);
    addClass(rows, group, { share: group.length / members.length, part, diagonal });
    filled += group.length;
  }
  const whitening =
    members.length < dim ? solveByRows(scaled, diagonal) : solveByDimensions(scaled, diagonal);
  if (whitening !== undefined) return whitening;
  throw new RuntimeError(
    `lda: the covariance of ${members.length} responses cannot be inverted, shrunk or not`,
    { hint: "Give more response pairs, or take --probe logistic or mean-difference." },
  );
}

/**
 * Adds one class: its share of the covariance is diag + partᵀ part, `part` [m_k, D] being its centred rows by the root of their
 * weight.
 */
function addClass(
  { rows, dim }: LabelledRows,
  group: Int32Array,
  into: { readonly share: number; readonly part: Float64Array; readonly diagonal: Float64Array },
): void {
  const { share, part, diagonal } = into;
  const count = group.length;
  const deviations = standardise(rows, dim, group, part);
  const shrinkage = ledoitWolf(part, dim);
  let trace = 0;
  for (const value of part) trace += value * value;
  const mean = trace / count / dim;
  const root = Math.sqrt((share * (1 - shrinkage)) / count);
  for (let j = 0; j < dim; j++) {
    diagonal[j]! += share * shrinkage * mean * deviations[j]! ** 2;
    for (let k = 0; k < count; k++) part[k * dim + j]! *= root * deviations[j]!;
  }
}

/** Writes the group's rows with mean 0 and variance 1 in every dimension; gives the deviations, 1 where there is none. */
function standardise(
  rows: Float32Array,
  dim: number,
  group: Int32Array,
  into: Float64Array,
): Float64Array {
  const deviations = new Float64Array(dim);
  for (let j = 0; j < dim; j++) {
    let mean = 0;
    for (const i of group) mean += rows[i * dim + j]! / group.length;
    let square = 0;
    for (const [k, i] of group.entries()) {
      const value = rows[i * dim + j]! - mean;
      into[k * dim + j] = value;
      square += value * value;
    }
    const variance = square / group.length;
    // As in scikit-learn: what rounding makes of a constant is no variance.
    const rounding =
      group.length * Number.EPSILON * (variance + group.length * Number.EPSILON * mean * mean);
    const deviation = variance > rounding ? Math.sqrt(variance) : 1;
    deviations[j] = deviation;
    for (let k = 0; k < group.length; k++) into[k * dim + j]! /= deviation;
  }
  return deviations;
}

/** Ledoit and Wolf's (2004) intensity for rows [m, D] of mean 0, from their Gram matrix. */
function ledoitWolf(rows: Float64Array, dim: number): number {
  const count = rows.length / dim;
  let trace = 0;
  let fourth = 0;
  for (let k = 0; k < count; k++) {
    let square = 0;
    for (let j = 0; j < dim; j++) square += rows[k * dim + j]! ** 2;
    trace += square;
    fourth += square * square;
  }
  // The squared entries of rowsᵀ rows and of rows rowsᵀ have the same sum.
  let squares = 0;
  for (const product of gramMatrix(rows, dim)) squares += product * product;
  squares /= count * count;
  const mean = trace / count / dim;
  const spread = squares / dim - mean * mean;
  const noise = Math.min((fourth / count - squares) / (dim * count), spread);
  return noise > 0 ? noise / spread : 0;
}

/** (diag + partᵀ part)⁻¹ v = u − diag⁻¹ partᵀ (I + part diag⁻¹ partᵀ)⁻¹ part u, u = diag⁻¹ v. */
function solveByRows(part: Float64Array, diagonal: Float64Array): Whitening | undefined {
  if (!diagonal.every((value) => value > 0)) return undefined;
  const dim = diagonal.length;
  const count = part.length / dim;
  const roots = diagonal.map(Math.sqrt);
  for (let i = 0; i < part.length; i++) part[i]! /= roots[i % dim]!;
  const gram = gramMatrix(part, dim);
  for (let k = 0; k < count; k++) gram[k * count + k]! += 1;
  const factor = choleskyFactor(gram, count);
  if (factor === undefined) return undefined;
  return {
    solve(vector) {
      const white = vector.map((value, j) => value / roots[j]!);
      const images = new Float64Array(count);
      for (let k = 0; k < count; k++) {
        for (let j = 0; j < dim; j++) images[k]! += part[k * dim + j]! * white[j]!;
      }
      for (const [k, factorOfRow] of choleskySolve(factor, images).entries()) {
        for (let j = 0; j < dim; j++) white[j]! -= factorOfRow * part[k * dim + j]!;
      }
      return white.map((value, j) => value / roots[j]!);
    },
  };
}

function solveByDimensions(part: Float64Array, diagonal: Float64Array): Whitening | undefined {
  const dim = diagonal.length;
  const covariance = new Float64Array(dim * dim);
  for (let from = 0; from < part.length; from += dim) {
    for (let a = 0; a < dim; a++) {
      const value = part[from + a]!;
      for (let b = 0; b <= a; b++) covariance[a * dim + b]! += value * part[from + b]!;
    }
  }
  for (let j = 0; j < dim; j++) covariance[j * dim + j]! += diagonal[j]!;
  const factor = choleskyFactor(covariance, dim);
  return factor === undefined ? undefined : { solve: (vector) => choleskySolve(factor, vector) };
}
