import { compile } from "../runtime/ort.ts";
import { input } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";

/** Rows of equal width, row by row. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  /** [count, width] */
  readonly values: Float32Array;
}

/** One row, in place. */
export const rowOf = ({ width, values }: Rows, i: number): Float32Array =>
  values.subarray(i * width, (i + 1) * width);

/** Some rows, copied, in the order of `picked`. */
export function pickRows(rows: Rows, picked: ArrayLike<number>): Rows {
  const { width } = rows;
  const values = new Float32Array(picked.length * width);
  for (let i = 0; i < picked.length; i++) values.set(rowOf(rows, picked[i]!), i * width);
  return { count: picked.length, width, values };
}

/** Vectors of `width` numbers as the rows of one matrix, copied. */
export function stackRows(vectors: readonly Float32Array[], width: number): Rows {
  const values = new Float32Array(vectors.length * width);
  for (const [k, vector] of vectors.entries()) values.set(vector, k * width);
  return { count: vectors.length, width, values };
}

/** The inner products of all rows of one matrix with all of another, [a.count, b.count], in single precision. */
export async function multiplyRows(
  a: Rows,
  b: Rows,
  options: { readonly threads?: number | undefined } = {},
): Promise<Rows> {
  if (a.width !== b.width) throw new Error(`internal: rows of ${a.width} and ${b.width} numbers`);
  const graph = {
    y: matMul(input("a", "float32", ["R", a.width]), input("b", "float32", [b.width, b.count])),
  };
  await using program = await compile(lowerToOnnx(graph), options);
  const { y } = await program.run({
    a: { dtype: "float32", shape: [a.count, a.width], array: a.values },
    b: { dtype: "float32", shape: [b.width, b.count], array: transposed(b) },
  });
  if (!(y?.array instanceof Float32Array)) throw new Error("internal: expected float32 output");
  return { count: a.count, width: b.count, values: y.array };
}

function transposed({ count, width, values }: Rows): Float32Array {
  const columns = new Float32Array(values.length);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < width; j++) columns[j * count + i] = values[i * width + j]!;
  }
  return columns;
}
