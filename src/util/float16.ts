/** Half precision to single, exact for every value, NaN payloads included; writes into `dst` (at least as long) if given. */
export function float16ToFloat32(
  src: Uint16Array,
  dst: Float32Array = new Float32Array(src.length),
): Float32Array {
  const bits = wordsOf(dst, src.length);
  const table = FLOAT16_AS_FLOAT32_BITS;
  for (let i = 0; i < src.length; i++) bits[i] = table[src[i]!]!;
  return dst.length === src.length ? dst : dst.subarray(0, src.length);
}

/** Brain float to single, exact for every value, NaN payloads included; writes into `dst` (at least as long) if given. */
export function bfloat16ToFloat32(
  src: Uint16Array,
  dst: Float32Array = new Float32Array(src.length),
): Float32Array {
  const bits = wordsOf(dst, src.length);
  for (let i = 0; i < src.length; i++) bits[i] = src[i]! << 16;
  return dst.length === src.length ? dst : dst.subarray(0, src.length);
}

/**
 * Single to half precision: nearest, ties to even; 65520 and above become Infinity, NaN stays NaN (and is made quiet).
 * Writes into `dst` (at least as long) if given.
 */
export function float32ToFloat16(
  src: Float32Array,
  dst: Uint16Array = new Uint16Array(src.length),
): Uint16Array {
  requireRoom(dst.length, src.length);
  const words = wordsOf(src, src.length);
  for (let i = 0; i < words.length; i++) dst[i] = float16Bits(words[i]!);
  return dst.length === src.length ? dst : dst.subarray(0, src.length);
}

/**
 * Single to brain float: nearest, ties to even; overflow becomes Infinity, NaN stays NaN (and is made quiet).
 * Writes into `dst` (at least as long) if given.
 */
export function float32ToBfloat16(
  src: Float32Array,
  dst: Uint16Array = new Uint16Array(src.length),
): Uint16Array {
  requireRoom(dst.length, src.length);
  const words = wordsOf(src, src.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    dst[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return dst.length === src.length ? dst : dst.subarray(0, src.length);
}

/** For each half-precision bit pattern the bits of the same value in single precision (256 KB, stays in cache). */
export const FLOAT16_AS_FLOAT32_BITS: Uint32Array = Uint32Array.from({ length: 65536 }, (_, half) =>
  float32Bits(half),
);

function float32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13);
  // The exponent biases are 15 and 127.
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // A subnormal half, mantissa * 2^-24, is a normal single: its highest set bit becomes the hidden one.
  const highest = 31 - Math.clz32(mantissa);
  return sign | ((highest + 103) << 23) | ((mantissa << (23 - highest)) & 0x7fffff);
}

function float16Bits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  // 2^-14 up to 2^16: the carry of the rounding turns 65520 and above into Infinity by itself.
  if (magnitude >= 0x38800000 && magnitude < 0x47800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign; // below 2^-25, half of the smallest subnormal
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const half = 1 << (shift - 1);
  return sign | ((mantissa + half - 1 + ((mantissa >>> shift) & 1)) >>> shift);
}

// Bits, not floats: moving a signalling NaN through a float register may change its payload.
function wordsOf(values: Float32Array, length: number): Uint32Array {
  requireRoom(values.length, length);
  return new Uint32Array(values.buffer, values.byteOffset, length);
}

function requireRoom(available: number, needed: number): void {
  if (available < needed) {
    throw new Error(`internal: ${needed} values to convert, room for ${available}`);
  }
}
