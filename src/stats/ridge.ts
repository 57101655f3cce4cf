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
export function fitRidge(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  lambda: number,
): RidgeFit {
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, k) => rows.map((row) => row[k]!));
  const scales = columns.map((column) => Math.sqrt(dot(column, column) / column.length));
  const used = scales.flatMap((scale, k) => (scale > 0 ? [k] : []));
  const scaled = used.map((k) => columns[k]!.map((value) => value / scales[k]!));
  const matrix = Float64Array.from(
    scaled.flatMap((a, i) => scaled.map((b, j) => dot(a, b) + (i === j ? lambda : 0))),
  );
  const factor = choleskyFactor(matrix, used.length);
  if (factor === undefined) throw new Error("internal: ridge regression without a penalty");
  const solved = choleskySolve(
    factor,
    scaled.map((column) => dot(column, y)),
  );
  const weights = Array<number>(width).fill(0);
  for (const [i, k] of used.entries()) weights[k] = solved[i]! / scales[k]!;
  return { weights };
}

/** What the combination gives for one row, [K]. */
export const applyRidge = ({ weights }: RidgeFit, row: readonly number[]): number =>
  dot(weights, row);
