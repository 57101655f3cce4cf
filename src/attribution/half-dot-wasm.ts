import {
  advance,
  BRANCH_IF,
  constant128,
  copy,
  END,
  F32_ADD,
  F32_CONST,
  F32_STORE,
  F32X4_ADD,
  F32X4_MUL,
  get,
  I16X8_GT_S,
  I16X8_GT_U,
  I16X8_MAX_S,
  I16X8_MAX_U,
  I32,
  i32,
  I32_ADD,
  I32_EQZ,
  I32_LT_U,
  I32X4_SHL,
  I32X4_SHR_S,
  join,
  lane,
  load128,
  LOOP,
  SELECT,
  set,
  V128,
  V128_AND,
  V128_ANY_TRUE,
  V128_OR,
  type WasmFunction,
} from "../util/wasm-code.ts";
import { createWasmMemory, instantiate } from "../util/wasm-memory.ts";
/**
 * @file A WebAssembly SIMD routine: inner products of half-precision rows with one single-precision vector.
 *
 * A half h is turned into a single by shifting alone: with sign, exponent and mantissa moved to their places (from the upper 16 bits three
 * to the right, masked) the bits read as h * 2^-112, subnormal halves included. The vector carries the missing factor 2^112, so
 * products are exact to single precision, and stands in the order in which eight halves are split (halfDotVector). A row that
 * holds a NaN or an infinity, for which the shift would be wrong, gives NaN.
 *
 * Why not ONNX Runtime: for one column it takes twice as long, most of it to write and read the converted numbers.
 */
import { type BlockKernel, blockRows, BUFFERS, type KernelOptions } from "./block-kernel.ts";

/** Past the first numbers of memory, so that no address is 0. */
const FIRST_BYTE = 64;

/** True for one column of half precision whose length suits the routine. */
export function canUseHalfDot({ dtype, dim, columns, mean }: KernelOptions): boolean {
  return dtype === "F16" && columns.length === 1 && mean === undefined && dim % HALF_DOT_STEP === 0;
}

/** Where the routine's memory holds what; in bytes. */
export interface HalfDotLayout {
  readonly vectorAt: number;
  /** The products of up to `rows` rows. */
  readonly outAt: number;
  /** Buffers of `rows` rows each, one behind the other. */
  readonly buffersAt: number;
  readonly bufferBytes: number;
  readonly totalBytes: number;
}

export function halfDotLayout(dim: number, rows: number, buffers: number): HalfDotLayout {
  const outAt = FIRST_BYTE + dim * 4;
  const buffersAt = Math.ceil((outAt + rows * 4) / 64) * 64;
  const bufferBytes = rows * dim * 2;
  const totalBytes = buffersAt + buffers * bufferBytes;
  return { vectorAt: FIRST_BYTE, outAt, buffersAt, bufferBytes, totalBytes };
}

/** One column times half-precision rows in WebAssembly; the blocks are read straight into its memory. */
export function createHalfDotKernel(options: KernelOptions): BlockKernel {
  const { dim, columns } = options;
  const [column] = columns;
  if (column === undefined || !canUseHalfDot(options)) throw new Error("internal: half-dot kernel");
  const rows = blockRows(options, 1);
  const layout = halfDotLayout(dim, rows, BUFFERS);
  const { vectorAt, outAt, buffersAt, bufferBytes } = layout;
  const memory = createWasmMemory(layout.totalBytes);
  const dotRows = instantiate([DOT_ROWS], memory)["dotRows"] as (...args: number[]) => void; // as the routine is declared
  new Float32Array(memory.buffer, vectorAt, dim).set(halfDotVector(column));
  const products = new Float32Array(memory.buffer, outAt, rows);
  return {
    buffers: Array.from(
      { length: BUFFERS },
      (_, i) => new Uint8Array(memory.buffer, buffersAt + i * bufferBytes, bufferBytes),
    ),
    multiply: (buffer, count) => {
      dotRows(buffersAt + buffer * bufferBytes, vectorAt, dim * 2, count, outAt);
      return Promise.resolve({ products, stride: 1 });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const HALF_SCALE = 2 ** 112;
/** Row lengths must be multiples of this many elements. */
export const HALF_DOT_STEP = 32;

/** The vector as the routine wants it: scaled, of each eight elements the even ones first. Length a multiple of the step. */
export function halfDotVector(vector: Float32Array): Float32Array {
  const order = [0, 2, 4, 6, 1, 3, 5, 7];
  return vector.map((_, i) => vector[i - (i % 8) + order[i % 8]!]! * HALF_SCALE);
}

// Parameters, then locals.
const HALVES = 0;
const VECTOR = 1;
const ROW_BYTES = 2;
const ROWS = 3;
const OUT = 4;
const AT = 5;
const ROW_END = 6;
const WEIGHT_AT = 7;
const PACKED = 8;
const MASK = 9;
/** Four independent sums hide the latency of the additions, and lose less to rounding than one. */
const SUMS = [10, 11, 12, 13] as const;
/** Largest half of the row as signed and as unsigned numbers: NaN and infinity lie above all others of their sign. */
const LARGEST = 14;
const LARGEST_UNSIGNED = 15;

/** The sign and the 15 bits below the three that the sign extension filled: 0x8fffe000, little-endian. */
const KEPT_BITS = [0x00, 0xe0, 0xff, 0x8f];

function dotRowsBody(): number[] {
  const [a, b, c, d] = SUMS;
  return join(
    constant128(KEPT_BITS),
    set(MASK),
    LOOP,
    copy(HALVES, AT),
    copy(VECTOR, WEIGHT_AT),
    join(get(HALVES), get(ROW_BYTES), I32_ADD, set(ROW_END)),
    [...SUMS, LARGEST, LARGEST_UNSIGNED].flatMap((local) =>
      join(constant128([0, 0, 0, 0]), set(local)),
    ),
    LOOP,
    [0, 1, 2, 3].flatMap(multiplyEight),
    advance(WEIGHT_AT, 4 * HALF_DOT_STEP),
    advance(AT, 2 * HALF_DOT_STEP),
    join(get(AT), get(ROW_END), I32_LT_U, [BRANCH_IF, 0, END]),
    join(get(a), get(b), F32X4_ADD, get(c), get(d), F32X4_ADD, F32X4_ADD, set(a)),
    get(OUT),
    join(lane(a, 0), lane(a, 1), F32_ADD, lane(a, 2), lane(a, 3), F32_ADD, F32_ADD),
    notANumberUnless(hasOnlyFiniteHalves()),
    [F32_STORE, 2, 0],
    advance(OUT, 4),
    copy(ROW_END, HALVES),
    advance(ROWS, -1),
    join(get(ROWS), [BRANCH_IF, 0, END]),
  );
}

/** 0 where the row holds a half past the largest finite one, 0x7bff, or -0x7bff. */
function hasOnlyFiniteHalves(): number[] {
  return join(
    join(get(LARGEST), constant128([0xff, 0x7b, 0xff, 0x7b]), I16X8_GT_S),
    join(get(LARGEST_UNSIGNED), constant128([0xff, 0xfb, 0xff, 0xfb]), I16X8_GT_U),
    join(V128_OR, V128_ANY_TRUE, I32_EQZ),
  );
}

/** Replaces the number on the stack by NaN unless the condition, 1 for finite, holds. */
const notANumberUnless = (isFinite: readonly number[]): number[] =>
  join([F32_CONST, 0, 0, 0xc0, 0x7f], isFinite, SELECT);

/** The `group`-th eight halves of the step: load, split into two times four, and add their products to two of the sums. */
function multiplyEight(group: number): number[] {
  const addFour = (raise: readonly number[], half: number): number[] => {
    const sum = SUMS[(2 * group + half) % SUMS.length]!;
    const singles = join(get(PACKED), raise, i32(3), I32X4_SHR_S, get(MASK), V128_AND);
    const weights = join(get(WEIGHT_AT), load128(16 * (2 * group + half)));
    return join(get(sum), singles, weights, F32X4_MUL, F32X4_ADD, set(sum));
  };
  return join(
    join(get(AT), load128(16 * group), set(PACKED)),
    join(get(LARGEST), get(PACKED), I16X8_MAX_S, set(LARGEST)),
    join(get(LARGEST_UNSIGNED), get(PACKED), I16X8_MAX_U, set(LARGEST_UNSIGNED)),
    // Even halves are moved to the upper 16 bits, odd ones stand there; the mask drops what is below.
    addFour(join(i32(16), I32X4_SHL), 0),
    addFour([], 1),
  );
}

/**
 * Works on `env.memory` as `dotRows(halves, vector, rowBytes, rows, out)`: byte addresses, all 4-byte aligned; at least one row of at
 * least one step.
 */
export const DOT_ROWS: WasmFunction = {
  name: "dotRows",
  parameters: [I32, I32, I32, I32, I32],
  results: [],
  locals: [I32, I32, I32, ...Array.from({ length: 4 + SUMS.length }, () => V128)],
  body: dotRowsBody(),
};
