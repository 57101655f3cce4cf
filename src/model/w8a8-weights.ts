/**
 * @file Products of linear layers in whole numbers of 8 bits, weights and activations (W8A8): faster than float32 where the processor has
 * instructions for it, and about a part in a hundred off each product.
 *
 * What makes 8 bits too few is loudness: a few columns of a real model's activations, and a few numbers of a row, are tens of times larger
 * than the rest, and steps that reach them are too wide for the others. So each row is turned first: blocks of it are multiplied by an
 * orthogonal Hadamard matrix H, which spreads a loud number over its block, and the weights are turned once to match, as
 * x·W = (x·H)·(Hᵀ·W) (QuIP, arXiv 2307.13304; QuaRot, arXiv 2404.00456). Nothing is calibrated: the weights alone decide. Rows that no norm
 * made equally long are made so, and their products given back their length.
 */
import { constant, parameter, type Tensor } from "../tensor/graph.ts";
import { divide } from "../tensor/ops/arithmetic.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { inverseRms, rmsNorm, rmsNormOp } from "../tensor/ops/rms-norm.ts";
import { wholeProduct } from "../tensor/ops/whole-product.ts";
import { rewriteLinear } from "./rewrite-linear.ts";

/** End of the parameter name of a turned matrix's whole numbers, [in, out]. */
export const W8A8_VALUES = ".w8a8";
/** And of its scales, [out]. */
export const W8A8_SCALES = ".w8a8.scales";
/** Numbers that are turned together, at most: wider blocks spread better and cost more. */
const MAX_TURNED = 64;
/** Symmetric: −128 is not used. */
const LARGEST = 127;
/** Keeps a row of zeros from dividing by 0; a row's length is divided out and multiplied in, whatever this is. */
const EPSILON = 1e-12;

/** A turned matrix in whole numbers. */
export interface W8A8Matrix {
  /** [cols, rows] of the stored [rows, cols], each in [−127, 127]. */
  readonly values: Int8Array;
  /** [rows]. */
  readonly scales: Float32Array;
}

/** The largest power of two that divides a row of `cols` numbers, 64 at most. */
export function turnedTogether(cols: number): number {
  let size = 1;
  while (size < MAX_TURNED && cols % (2 * size) === 0) size *= 2;
  return size;
}

/** The same graph with the products of its linear layers in whole numbers. What is not a matrix of a linear layer stays float32. */
export function withW8A8Products(
  outputs: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  const made = new Map<string, Tensor>();
  const once = (name: string, make: () => Tensor): Tensor => {
    const known = made.get(name) ?? make();
    made.set(name, known);
    return known;
  };
  return rewriteLinear(outputs, ({ x, name, inDim, outDim }) => {
    const size = turnedTogether(inDim);
    const turn = once(`turn ${size}`, () => constant("float32", [size, size], hadamard(size)));
    const blocks = reshape(x, [...x.shape.slice(0, -1), inDim / size, size]);
    const turned = reshape(matMul(blocks, turn), x.shape);
    const values = parameter(`${name}${W8A8_VALUES}`, [inDim, outDim], "int8");
    const scales = parameter(`${name}${W8A8_SCALES}`, [outDim]);
    const isEven = x.source.kind === "op" && x.source.op.kind === rmsNormOp.kind;
    if (isEven) return wholeProduct(turned, values, scales);
    const ones = once(`ones ${inDim}`, () =>
      constant("float32", [inDim], new Float32Array(inDim).fill(1)),
    );
    const even = rmsNorm(turned, ones, EPSILON);
    return divide(wholeProduct(even, values, scales), inverseRms(turned, ones, EPSILON));
  });
}

/** Sylvester's Hadamard matrix over √size, row by row: orthogonal and its own inverse. */
function hadamard(size: number): Float32Array {
  const matrix = new Float32Array(size * size);
  matrix[0] = 1 / Math.sqrt(size);
  for (let half = 1; half < size; half *= 2) {
    for (let i = 0; i < half; i++) {
      for (let j = 0; j < half; j++) {
        const value = matrix[i * size + j]!;
        matrix[i * size + j + half] = value;
        matrix[(i + half) * size + j] = value;
        matrix[(i + half) * size + j + half] = -value;
      }
    }
  }
  return matrix;
}

/**
 * A stored matrix [rows, cols], whose memory is used up, turned and rounded to whole numbers: of each row the largest becomes ±127.
 *
 * Worked: the row [3, 1] turns to [4, 2]/√2; its whole numbers are 127 and 64 (63.5 rounded), its scale 4/(127·√2) = 0.0223.
 */
export function toW8A8(matrix: Float32Array, cols: number): W8A8Matrix {
  const rows = cols === 0 ? 0 : matrix.length / cols;
  const size = turnedTogether(cols);
  const values = new Int8Array(matrix.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const numbers = matrix.subarray(row * cols, (row + 1) * cols);
    turnBlocks(numbers, size);
    let largest = 0;
    for (let col = 0; col < cols; col++) largest = Math.max(largest, Math.abs(numbers[col]!));
    const step = largest / LARGEST;
    // What is below float32's smallest normal number has no reciprocal, and is nothing beside any other weight.
    const perStep = step > 1e-37 ? 1 / step : 0;
    scales[row] = step;
    for (let col = 0, at = row; col < cols; col++, at += rows) {
      values[at] = Math.round(numbers[col]! * perStep);
    }
  }
  return { values, scales };
}

/** Each block of `size` numbers times the Hadamard matrix, in place, by the fast transform. */
function turnBlocks(numbers: Float32Array, size: number): void {
  const factor = 1 / Math.sqrt(size);
  for (let half = 1; half < size; half *= 2) {
    for (let start = 0; start < numbers.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const a = numbers[i]!;
        const b = numbers[i + half]!;
        numbers[i] = a + b;
        numbers[i + half] = a - b;
      }
    }
  }
  for (let i = 0; i < numbers.length; i++) numbers[i]! *= factor;
}
