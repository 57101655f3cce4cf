/** @file Directions over several layers: each layer's part is brought to one length, so that none outweighs another. */
import { norm } from "../util/vector.ts";
import { type Rows, rowOf } from "./multiply-rows.ts";

/** Shorter than this, relative to what it is a difference of, a difference is rounding. */
const ROUNDING = 1e-5;

/**
 * The rows of `to` minus those of `from`, each layer's part of a row divided by its length and by √L: the inner product of two such
 * rows is the mean over layers of their cosines. A part that is nothing but rounding is zero; a row of zeros has no direction.
 */
export function unitDifferences(to: Rows, from: Rows, layers: number): Rows {
  const { count, width } = to;
  const values = new Float32Array(count * width);
  const dim = width / layers;
  for (let start = 0; start < values.length; start += dim) {
    const part = values.subarray(start, start + dim);
    for (let j = 0; j < dim; j++) part[j] = to.values[start + j]! - from.values[start + j]!;
    const length = norm(part);
    const least = ROUNDING * norm(from.values.subarray(start, start + dim));
    scale(part, length > least ? 1 / (length * Math.sqrt(layers)) : 0);
  }
  return { count, width, values };
}

/** The mean direction of some rows, of length 1; zeros where they cancel or none has a direction. */
export function meanDirection(rows: Rows, members: Iterable<number>): Float32Array {
  const sum = new Float64Array(rows.width);
  for (const i of members) {
    const row = rowOf(rows, i);
    for (let j = 0; j < sum.length; j++) sum[j]! += row[j]!;
  }
  const length = norm(sum);
  return Float32Array.from(sum, (value) => (length > 0 ? value / length : 0));
}

/** The rows that have a direction, rising. */
export function directedRows(rows: Rows): readonly number[] {
  return Array.from({ length: rows.count }, (_, i) => i).filter((i) =>
    rowOf(rows, i).some((value) => value !== 0),
  );
}

function scale(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}
