import { FormatError, UnsupportedError } from "../util/errors.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "../util/float16.ts";

/** Rows and columns of the square that is turned at a time: both its source and its target stay in the first cache. */
const TILE = 32;

/** A tensor's bytes as float32. Throws where the dtype is no float that is read, or a value is not finite. */
export function toFloat32(where: string, dtype: string, bytes: Uint8Array): Float32Array {
  const values = convert(where, dtype, bytes);
  expectFinite(where, values);
  return values;
}

/** The transpose of a matrix [rows, columns], as float32 [columns, rows]. */
export function transposeToFloat32(
  where: string,
  dtype: string,
  bytes: Uint8Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Float32Array {
  const bytesPerRow = rows === 0 ? 0 : bytes.length / rows;
  const turned = new Float32Array(rows * columns);
  // A band of rows at a time is converted and turned, so that no second float32 copy of the matrix is needed.
  for (let top = 0; top < rows; top += TILE) {
    const height = Math.min(TILE, rows - top);
    const band = convert(
      where,
      dtype,
      bytes.subarray(top * bytesPerRow, (top + height) * bytesPerRow),
    );
    expectFinite(where, band);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns);
      for (let column = left; column < right; column++) {
        const target = column * rows + top;
        for (let row = 0; row < height; row++) turned[target + row] = band[row * columns + column]!;
      }
    }
  }
  return turned;
}

function convert(where: string, dtype: string, bytes: Uint8Array): Float32Array {
  switch (dtype) {
    case "F32":
      return new Float32Array(alignedBuffer(bytes));
    case "F16":
      return float16ToFloat32(words(bytes));
    case "BF16":
      return bfloat16ToFloat32(words(bytes));
    default:
      throw new UnsupportedError(`${where}: expected F32, F16 or BF16, got ${dtype}`, {
        hint: "Quantised checkpoints must be converted to bfloat16 first.",
      });
  }
}

/** Always a copy: the caller's bytes are overwritten by the next tensor. */
function alignedBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}

function words(bytes: Uint8Array): Uint16Array {
  return bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    : new Uint16Array(alignedBuffer(bytes));
}

function expectFinite(where: string, values: Float32Array): void {
  // The sum of finite weights is finite; one NaN or infinity makes it NaN or infinite. Cheaper than looking at each.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  if (Number.isFinite(sum)) return;
  const index = values.findIndex((value) => !Number.isFinite(value));
  throw new FormatError(`${where}: element ${index} is ${values[index]}`, {
    hint: "The checkpoint is damaged: training diverged or the conversion overflowed.",
  });
}
