import { dot } from "../util/vector.ts";
import { choleskyFactor, choleskySolve } from "./cholesky.ts";

/** Weights of a linear combination without an intercept, on the scale of the columns. */
export interface RidgeFit {
  /** For each column, [K]; 0 for one that is zero throughout. */
  readonly weights: readonly number[];
}

/**
 * Ridge regression through the origin: the w that makes Σ (yᵢ − Σₖ wₖ xᵢₖ / sₖ)² + λ Σ wₖ² least, with sₖ the root mean square of column k, so
 * that columns in other units are punished alike; weights are given as wₖ / sₖ (Hoerl and Kennard 1970). `rows` [n, K], y [n], λ above 0. Without
 * an intercept what moves nothing forecasts nothing.
 *
 * Worked: x = (1, −1), y = (3, −1), λ = 2: s = 1, w = 4 / (2 + 2) = 1.
 */
export const fitRidge = (
  rows: readonly (readonly number[])[],
  y: readonly number[],
  lambda: number,
): RidgeFit => ({ weights: solveRidge(rows, y, lambda).weights });

function solveRidge(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  lambda: number,
): {
  readonly weights: readonly number[];
  /** Columns that are not zero throughout, and these at root mean square 1. */
  readonly used: readonly number[];
  readonly columns: readonly (readonly number[])[];
  /** Of XᵀX + λI over these. */
  readonly factor: Float64Array;
} {
  const width = rows[0]?.length ?? 0;
  const given = Array.from({ length: width }, (_, k) => rows.map((row) => row[k]!));
  const scales = given.map((column) => Math.sqrt(dot(column, column) / column.length));
  const used = scales.flatMap((scale, k) => (scale > 0 ? [k] : []));
  const columns = used.map((k) => given[k]!.map((value) => value / scales[k]!));
  const matrix = Float64Array.from(
    columns.flatMap((a, i) => columns.map((b, j) => dot(a, b) + (i === j ? lambda : 0))),
  );
  const factor = choleskyFactor(matrix, used.length);
  if (factor === undefined) throw new Error("internal: ridge regression without a penalty");
  const solved = choleskySolve(
    factor,
    columns.map((column) => dot(column, y)),
  );
  const weights = Array<number>(width).fill(0);
  for (const [i, k] of used.entries()) weights[k] = solved[i]! / scales[k]!;
  return { weights, used, columns, factor };
}

/**
 * How far each observation lies from what the others' fit gives for it, [n], observed less fitted; the columns' scales sₖ are those of all
 * rows. By the leverage hᵢ = xᵢᵀ (XᵀX + λI)⁻¹ xᵢ each is (yᵢ − ŷᵢ) / (1 − hᵢ), without a fit of its own (Hastie, Tibshirani and Friedman,
 * The Elements of Statistical Learning, eq. 7.64).
 *
 * Worked: x = (1, −1), y = (3, −1), λ = 2: w = 1, h = 1/4 for both, errors (2, 0) / (3/4) = (8/3, 0).
 */
export function ridgeErrors(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  lambda: number,
): readonly number[] {
  const { used, columns, factor, weights } = solveRidge(rows, y, lambda);
  return rows.map((row, i) => {
    const own = used.map((_, u) => columns[u]![i]!);
    const leverage = dot(own, choleskySolve(factor, own));
    return (y[i]! - applyRidge({ weights }, row)) / (1 - leverage);
  });
}

/** What the combination gives for one row, [K]. */
export const applyRidge = ({ weights }: RidgeFit, row: readonly number[]): number =>
  dot(weights, row);
