import { bfloat16ToFloat32, FLOAT16_AS_FLOAT32_BITS, float16ToFloat32 } from "../util/float16.ts";

/** Stored element types that become float32 without loss. */
export const FLOAT_DTYPES = ["F32", "F16", "BF16"] as const;
export type FloatDtype = (typeof FLOAT_DTYPES)[number];

/** Bytes of one stored element. */
export const FLOAT_BYTES: Readonly<Record<FloatDtype, number>> = { F32: 4, F16: 2, BF16: 2 };

/** A piece of a stored matrix and where it belongs in the transposed one. */
export interface RowBlock {
  readonly rows: number;
  readonly cols: number;
  /** First row of the piece in the whole matrix. */
  readonly firstRow: number;
  readonly totalRows: number;
}

/** Elements that are copied together: source lines and target lines of one tile both stay in the cache. */
const TILE = 64;

/** Stored elements to float32, in the same order. `stored` must be aligned to its elements. */
export function widen(stored: Uint8Array, dtype: FloatDtype, target: Float32Array): void {
  if (dtype === "F32") wordsOf(target).set(words32(stored));
  else if (dtype === "F16") float16ToFloat32(words16(stored), target);
  else bfloat16ToFloat32(words16(stored), target);
}

/** Stored rows [rows, cols] to the columns `firstRow`… of `target` [cols, totalRows], tile by tile. */
export function widenTransposed(
  stored: Uint8Array,
  dtype: FloatDtype,
  target: Float32Array,
  { rows, cols, firstRow, totalRows }: RowBlock,
): void {
  const copy = COPY_COLUMN[dtype];
  const from = dtype === "F32" ? words32(stored) : words16(stored);
  const to = wordsOf(target);
  for (let row = 0; row < rows; row += TILE) {
    const count = Math.min(TILE, rows - row);
    for (let col = 0; col < cols; col++) {
      copy(from, row * cols + col, cols, { to, start: col * totalRows + firstRow + row, count });
    }
  }
}

/** Index of the first stored element that is NaN or infinite, or undefined. `stored` must be aligned to 4 bytes. */
export function findNonFinite(stored: Uint8Array, dtype: FloatDtype): number | undefined {
  const mask = EXPONENT_MASK[dtype];
  const words = dtype === "F32" ? words32(stored) : words16(stored);
  // Two 16-bit elements at a time; an odd last one is left to the slow search.
  const pairs = new Uint32Array(stored.buffer, stored.byteOffset, stored.byteLength >>> 2);
  const isOdd = stored.byteLength % 4 !== 0;
  if (!isOdd && !hasFullExponent(pairs, dtype === "F32" ? mask : mask * 0x10001)) return undefined;
  const index = words.findIndex((word) => (word & mask) === mask);
  return index < 0 ? undefined : index;
}

const EXPONENT_MASK: Readonly<Record<FloatDtype, number>> = {
  F32: 0x7f800000,
  F16: 0x7c00,
  BF16: 0x7f80,
};

/** `mask` covers the exponents in a word: of one float32, or of two 16-bit floats. */
function hasFullExponent(words: Uint32Array, mask: number): boolean {
  // No branch in the loop: a full exponent, and only that, carries into the bit above it, which is the sign's.
  const isPair = (mask & 0xffff) !== 0;
  const lowestBits = isPair ? (mask & -mask) * 0x10001 : mask & -mask;
  let carries = 0;
  for (let i = 0; i < words.length; i++) carries |= ((words[i]! & mask) + lowestBits) | 0;
  return (carries & (isPair ? 0x80008000 : 0x80000000)) !== 0;
}

interface ColumnTarget {
  readonly to: Uint32Array;
  readonly start: number;
  readonly count: number;
}

type CopyColumn = (
  from: Uint16Array | Uint32Array,
  first: number,
  stride: number,
  target: ColumnTarget,
) => void;

const COPY_COLUMN: Readonly<Record<FloatDtype, CopyColumn>> = {
  F32: (from, first, stride, { to, start, count }) => {
    for (let i = 0, at = first; i < count; i++, at += stride) to[start + i] = from[at]!;
  },
  F16: (from, first, stride, { to, start, count }) => {
    const table = FLOAT16_AS_FLOAT32_BITS;
    for (let i = 0, at = first; i < count; i++, at += stride) to[start + i] = table[from[at]!]!;
  },
  BF16: (from, first, stride, { to, start, count }) => {
    for (let i = 0, at = first; i < count; i++, at += stride) to[start + i] = from[at]! << 16;
  },
};

function words16(stored: Uint8Array): Uint16Array {
  return new Uint16Array(stored.buffer, stored.byteOffset, stored.byteLength / 2);
}

function words32(stored: Uint8Array): Uint32Array {
  return new Uint32Array(stored.buffer, stored.byteOffset, stored.byteLength / 4);
}

function wordsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
