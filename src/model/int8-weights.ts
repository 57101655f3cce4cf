/**
 * @file Weights held as int8 with one float32 scale for each block of a row: a quarter of their size as float32, and a few parts in a
 * thousand off. Products are still taken in float32: a matrix is widened when it is used, which costs little beside a product over a
 * thousand tokens.
 */
import { parameter, type Tensor } from "../tensor/graph.ts";
import { dequantize } from "../tensor/ops/dequantize.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { rewriteLinear } from "./rewrite-linear.ts";

/** Numbers of a row of the stored matrix [out, in] that share a scale. */
export const INT8_BLOCK = 32;
/** End of the parameter name of a matrix's whole numbers, [out, in]. */
export const INT8_VALUES = ".int8";
/** And of its scales, [out, in / INT8_BLOCK]. */
export const INT8_SCALES = ".int8.scales";
/** Symmetric: −128 is not used. */
const LARGEST = 127;

/** A stored matrix [rows, cols] in whole numbers. */
export interface Int8Matrix {
  /** [rows, cols], each in [−127, 127]. */
  readonly values: Int8Array;
  /** [rows, cols / INT8_BLOCK rounded up]. */
  readonly scales: Float32Array;
}

/** The same graph with the weights of its linear layers held as int8. What is not a matrix of a linear layer stays float32. */
export function withInt8Weights(
  outputs: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  return rewriteLinear(outputs, ({ x, name, inDim, outDim }) => {
    const values = parameter(`${name}${INT8_VALUES}`, [outDim, inDim], "int8");
    const scales = parameter(`${name}${INT8_SCALES}`, [outDim, Math.ceil(inDim / INT8_BLOCK)]);
    return matMul(x, dequantize(values, scales, INT8_BLOCK), { transposeB: true });
  });
}

/** Rounds a matrix [rows, cols] to whole numbers: of each block of a row the largest becomes ±127. */
export function toInt8(matrix: Float32Array, cols: number): Int8Matrix {
  const rows = cols === 0 ? 0 : matrix.length / cols;
  const blocks = Math.ceil(cols / INT8_BLOCK);
  const values = new Int8Array(matrix.length);
  const scales = new Float32Array(rows * blocks);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const end = Math.min((row + 1) * cols, row * cols + (block + 1) * INT8_BLOCK);
      let largest = 0;
      for (let i = at; i < end; i++) largest = Math.max(largest, Math.abs(matrix[i]!));
      // What is below float32's smallest normal number has no reciprocal, and is nothing beside any other weight.
      const step = largest / LARGEST;
      const perStep = step > 1e-37 ? 1 / step : 0;
      scales[row * blocks + block] = step;
      for (; at < end; at++) values[at] = Math.round(matrix[at]! * perStep);
    }
  }
  return { values, scales };
}
