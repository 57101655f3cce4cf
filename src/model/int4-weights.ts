/**
 * @file Weights held in 4 bits with one float32 scale for each block of a row: 0.625 bytes a weight, and a tenth off.
 * Products are taken in float32. For checkpoints that fit into memory in no other way.
 */
import { parameter, type Tensor } from "../tensor/graph.ts";
import { FOUR_BIT_ZERO, fourBitProduct } from "../tensor/ops/four-bit-product.ts";
import { rewriteLinear } from "./rewrite-linear.ts";

/** Numbers of a row of the stored matrix [out, in] that share a scale. */
export const INT4_BLOCK = 32;
/**
 * In the parameter name of a matrix's numbers, [out, blocks, INT4_BLOCK / 2], two to a byte; behind it stands how many columns the stored
 * matrix has, which the shape of whole blocks does not say.
 */
export const INT4_VALUES = ".int4:";
/** And of its scales, [out, blocks]. */
export const INT4_SCALES = ".int4.scales";

/** A stored matrix [rows, cols] in 4 bits. */
export interface Int4Matrix {
  /** [rows, blocks, INT4_BLOCK / 2]: the first number of each two in the lower bits, each FOUR_BIT_ZERO more than it stands for. */
  readonly values: Uint8Array;
  /** [rows, blocks]; blocks are cols / INT4_BLOCK rounded up. */
  readonly scales: Float32Array;
}

/** The same graph with the weights of its linear layers held in 4 bits. What is not a matrix of a linear layer stays float32. */
export function withInt4Weights(
  outputs: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  return rewriteLinear(outputs, ({ x, name, inDim, outDim }) => {
    const blocks = Math.ceil(inDim / INT4_BLOCK);
    const values = parameter(
      `${name}${INT4_VALUES}${inDim}`,
      [outDim, blocks, INT4_BLOCK / 2],
      "uint8",
    );
    const scales = parameter(`${name}${INT4_SCALES}`, [outDim, blocks]);
    return fourBitProduct(x, values, scales);
  });
}

/**
 * Rounds a matrix [rows, cols] to 16 steps: of each block of a row the number furthest from 0 becomes −8 steps, so that the step has the
 * other sign. What stands behind a row's end in its last block is 0.
 */
export function toInt4(matrix: Float32Array, cols: number): Int4Matrix {
  const rows = cols === 0 ? 0 : matrix.length / cols;
  const blocks = Math.ceil(cols / INT4_BLOCK);
  const values = new Uint8Array((rows * blocks * INT4_BLOCK) / 2);
  const scales = new Float32Array(rows * blocks);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const start = row * cols + block * INT4_BLOCK;
      const end = Math.min((row + 1) * cols, start + INT4_BLOCK);
      let furthest = 0;
      for (let i = start; i < end; i++) {
        if (Math.abs(matrix[i]!) > Math.abs(furthest)) furthest = matrix[i]!;
      }
      // What is below float32's smallest normal number has no reciprocal, and is nothing beside any other weight.
      const step = furthest / -FOUR_BIT_ZERO;
      const perStep = Math.abs(step) > 1e-37 ? 1 / step : 0;
      scales[row * blocks + block] = step;
      const numberAt = (i: number): number =>
        i < end ? Math.min(15, Math.round(matrix[i]! * perStep) + FOUR_BIT_ZERO) : FOUR_BIT_ZERO;
      for (let i = start; i < start + INT4_BLOCK; i += 2) {
        values[to++] = numberAt(i) | (numberAt(i + 1) << 4);
      }
    }
  }
  return { values, scales };
}
