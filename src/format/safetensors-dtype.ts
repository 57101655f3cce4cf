/** Bits per element of every dtype the format defines; the sub-byte ones pack several elements into a byte. */
const DTYPE_BITS = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2: 8,
  F8_E5M2FNUZ: 8,
  F8_E8M0: 8,
  U16: 16,
  I16: 16,
  F16: 16,
  BF16: 16,
  U32: 32,
  I32: 32,
  F32: 32,
  U64: 64,
  I64: 64,
  F64: 64,
  C64: 64,
} as const;

/** Element type of a stored tensor, as the safetensors format spells it. */
export type SafetensorsDtype = keyof typeof DTYPE_BITS;

/** Whether `text` names a dtype of the format. */
export function isSafetensorsDtype(text: string): text is SafetensorsDtype {
  return Object.hasOwn(DTYPE_BITS, text);
}

/** Bits of one element. */
export function dtypeBits(dtype: SafetensorsDtype): number {
  return DTYPE_BITS[dtype];
}

/** Bytes of a whole tensor; undefined where that is not a whole number of bytes or not below 2^53. */
export function tensorByteLength(
  dtype: SafetensorsDtype,
  shape: readonly number[],
): number | undefined {
  let bits: number = DTYPE_BITS[dtype];
  for (const size of shape) {
    bits *= size;
    // An inexact product stays above the limit unless a later size is 0, so it is caught here.
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits % 8 === 0 ? bits / 8 : undefined;
}
