import { expect } from "vitest";

/** A matrix, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly values: ArrayLike<number> & { map(f: (value: number) => number): ArrayLike<number> };
}

/** a·b in double precision. */
export function multiplyMatrices(a: Matrix, b: Matrix): Matrix {
  expect(a.cols, "inner sizes").toBe(b.rows);
  const values = new Float64Array(a.rows * b.cols);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.cols; k++) {
      for (let j = 0; j < b.cols; j++) {
        values[i * b.cols + j]! += a.values[i * a.cols + k]! * b.values[k * b.cols + j]!;
      }
    }
  }
  return { rows: a.rows, cols: b.cols, values };
}

/** The transpose, in double precision. */
export function transposed({ rows, cols, values }: Matrix): Matrix {
  const turned = Float64Array.from(
    { length: rows * cols },
    (_, i) => values[(i % rows) * cols + Math.floor(i / rows)]!,
  );
  return { rows: cols, cols: rows, values: turned };
}
