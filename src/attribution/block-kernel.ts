import { compile, type TensorValue } from "../runtime/ort.ts";
import { bytesPerElement } from "../store/shard-layout.ts";
import type { StoreDtype, VectorStoreManifest } from "../store/vector-store-manifest.ts";
import { constant, input, parameter, type Tensor } from "../tensor/graph.ts";
import { type LoweredGraph, lowerToOnnx } from "../tensor/lower.ts";
import { multiply, subtract } from "../tensor/ops/arithmetic.ts";
import { cast } from "../tensor/ops/cast.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";

/** Multiplies blocks of stored vectors with fixed columns. R rows of a block, D dimensions, K columns. */
export interface BlockKernel extends AsyncDisposable {
  /** Where blocks are read into, one behind the other; of equal size. */
  readonly buffers: readonly Uint8Array[];
  /** The products of the first `rows` rows of a buffer; valid until the next call. */
  multiply(buffer: number, rows: number): Promise<BlockProducts>;
}

export interface BlockProducts {
  /** Row by row, `stride` values each, of which the first K are the products. */
  readonly products: Float32Array;
  readonly stride: number;
  /** ‖x − mean‖² of each row where a mean was given. */
  readonly squares?: Float32Array | undefined;
}

/** The products of one block of store rows. */
export interface ProductBlock extends BlockProducts {
  /** Store row of the first. */
  readonly firstRow: number;
  readonly rows: number;
}

/** How vectors are stored. */
type StoredVectors = Pick<VectorStoreManifest, "dtype" | "dim">;

export interface KernelOptions extends StoredVectors {
  /** K vectors, [D] each. */
  readonly columns: readonly Float32Array[];
  /** Subtracted from every stored vector first, [D]; default none. */
  readonly mean?: Float32Array | undefined;
  /** Threads of the arithmetic; default: one for each core. */
  readonly threads?: number | undefined;
}

/** One block in use and two being read: reading goes on while the arithmetic holds the thread. */
export const BUFFERS = 3;
/** Large enough that a call's overhead vanishes, small enough that a block stays in the processor's cache. */
const BLOCK_BYTES = 4 * 2 ** 20;
const MAX_PRODUCT_BYTES = 16 * 2 ** 20;

/** Rows of a block: about 4 MiB of vectors and at most 16 MiB of products. */
export function blockRows({ dtype, dim }: StoredVectors, stride: number): number {
  const byInput = Math.floor(BLOCK_BYTES / (dim * bytesPerElement(dtype)));
  const byOutput = Math.floor(MAX_PRODUCT_BYTES / (4 * stride));
  return Math.max(1, Math.min(byInput, byOutput));
}

/** Buffers for blocks of so many rows. */
export function blockBuffers({ dtype, dim }: StoredVectors, rows: number): readonly Uint8Array[] {
  return Array.from({ length: BUFFERS }, () => new Uint8Array(rows * dim * bytesPerElement(dtype)));
}

/** ONNX Runtime's matrix product works in strips of 16 columns: a part of one costs as much as a whole one, or more. */
const COLUMN_STRIP = 16;

/**
 * Up to so many columns stand in the graph as constants, which ONNX Runtime packs for its kernels once instead of for each block; each
 * program then has a copy or two of them, 4 MiB each at 4096 dimensions. More are given at each call and shared.
 */
export const MAX_CONSTANT_COLUMNS = 256;

/** The products of a block as an ONNX graph with the input `x` [R, D] and the outputs `products` [R, stride] and, with a mean, `squares` [R, 1]. */
export interface ProductModel {
  readonly graph: LoweredGraph;
  /** What stands beside `x` at each call. */
  readonly fixed: Readonly<Record<string, TensorValue>>;
  /** The columns, rounded up to whole strips. */
  readonly stride: number;
}

export function productModel(options: KernelOptions): ProductModel {
  const { dim, columns } = options;
  const stride = Math.ceil(columns.length / COLUMN_STRIP) * COLUMN_STRIP;
  const matrix = transposed(columns, dim, stride);
  const isConstant = stride <= MAX_CONSTANT_COLUMNS;
  const outputs = productGraph(
    options,
    isConstant ? parameter("columns", [dim, stride]) : input("columns", "float32", [dim, stride]),
  );
  return {
    graph: lowerToOnnx(
      outputs,
      isConstant ? { constantWeights: new Map([["columns", matrix]]) } : {},
    ),
    fixed: isConstant ? {} : { columns: float32([dim, stride], matrix) },
    stride,
  };
}

/** Any number of columns, any dtype, with or without a mean, in ONNX Runtime. */
export async function createGraphKernel(options: KernelOptions): Promise<BlockKernel> {
  const { dtype, dim, threads } = options;
  const { graph, fixed, stride } = productModel(options);
  const buffers = blockBuffers(options, blockRows(options, stride));
  const program = await compile(graph, { threads });
  return {
    buffers,
    async multiply(buffer, count) {
      const x = blockTensor(dtype, dim, buffers[buffer]!, count);
      const { products, squares } = await program.run({ ...fixed, x });
      return { products: floats(products), stride, squares: squares && floats(squares) };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** The first rows of a buffer as a tensor [R, D], read in place. */
export function blockTensor(
  dtype: StoreDtype,
  dim: number,
  buffer: Uint8Array,
  rows: number,
): TensorValue {
  const shape = [rows, dim];
  return dtype === "F16"
    ? {
        dtype: "float16",
        shape,
        array: new Uint16Array(buffer.buffer, buffer.byteOffset, rows * dim),
      }
    : float32(shape, new Float32Array(buffer.buffer, buffer.byteOffset, rows * dim));
}

/** The input `x` [R, D] of a block in single precision. */
export function blockInput(dtype: StoreDtype, dim: number): Tensor {
  return dtype === "F16"
    ? cast(input("x", "float16", ["R", dim]), "float32")
    : input("x", "float32", ["R", dim]);
}

function productGraph(
  { dtype, dim, mean }: KernelOptions,
  columns: Tensor,
): Readonly<Record<string, Tensor>> {
  const vectors = blockInput(dtype, dim);
  if (mean === undefined) return { products: matMul(vectors, columns) };
  const centred = subtract(vectors, constant("float32", [dim], mean));
  const ones = constant("float32", [dim, 1], new Float32Array(dim).fill(1));
  return {
    products: matMul(centred, columns),
    squares: matMul(multiply(centred, centred), ones),
  };
}

/** K columns of length D as a matrix [D, stride], zero past the K-th. */
function transposed(columns: readonly Float32Array[], dim: number, stride: number): Float32Array {
  const matrix = new Float32Array(dim * stride);
  for (const [k, column] of columns.entries()) {
    for (let i = 0; i < dim; i++) matrix[i * stride + k] = column[i]!;
  }
  return matrix;
}

function float32(shape: readonly number[], array: Float32Array): TensorValue {
  return { dtype: "float32", shape, array };
}

function floats(value: TensorValue | undefined): Float32Array {
  if (!(value?.array instanceof Float32Array)) throw new Error("internal: expected float32 output");
  return value.array;
}
