import { constants } from "node:buffer";

import { quoteName } from "../format/safetensors-header.ts";
import type { SafetensorsEntry, SafetensorsFile } from "../format/safetensors.ts";
import { FormatError, UnsupportedError } from "../util/errors.ts";
import {
  findNonFinite,
  FLOAT_BYTES,
  FLOAT_DTYPES,
  type FloatDtype,
  widen,
  widenTransposed,
} from "./weights-convert.ts";

/** Large enough that a read call costs little, small enough that a piece stays in the second-level cache. */
const PIECE_BYTES = 2 ** 21;

export interface ReadFloat32Options {
  /** A stored matrix [out, in] comes as [in, out]. Default false; two dimensions only. */
  readonly transpose?: boolean | undefined;
}

/** Lends the buffers that pieces are read into, so that a checkpoint's hundreds of tensors share a few. */
export class PieceBuffers {
  readonly #free: Uint8Array[] = [];

  /** A buffer of at least `byteLength`; give it back with `release`. */
  take(byteLength: number): Uint8Array {
    const free = this.#free.pop();
    return free !== undefined && free.length >= byteLength
      ? free
      : new Uint8Array(Math.max(PIECE_BYTES, byteLength));
  }

  release(buffer: Uint8Array): void {
    // One outsized row must not stay in memory for good.
    if (buffer.length === PIECE_BYTES) this.#free.push(buffer);
  }
}

/**
 * A stored F32, F16 or BF16 tensor as float32, row-major. It is read piece by piece, the next piece while one is converted, so
 * that nothing but the result is ever whole in memory. Throws FormatError naming the tensor where a value is NaN or infinite,
 * UnsupportedError where its dtype is another or its float32 form exceeds one buffer.
 */
export async function readTensorAsFloat32(
  file: SafetensorsFile,
  name: string,
  buffers: PieceBuffers,
  { transpose = false }: ReadFloat32Options = {},
): Promise<Float32Array> {
  const where = `${file.path}: tensor ${quoteName(name)}`;
  const entry = file.tensors.get(name);
  if (entry === undefined) throw new Error(`internal: ${where} is not there`);
  const dtype = floatDtype(entry, where);
  const layout = pieceLayout(entry.shape, dtype);
  if (transpose && entry.shape.length !== 2) {
    throw new Error(`internal: ${where} has ${entry.shape.length} dimensions, transpose needs 2`);
  }
  const count = entry.byteLength / FLOAT_BYTES[dtype];
  if (count * 4 > constants.MAX_LENGTH) {
    throw new UnsupportedError(
      `${where}: ${count * 4} bytes as float32, one buffer holds ${constants.MAX_LENGTH}`,
      { hint: "Use a smaller model: this one has a weight too large for Node's buffers." },
    );
  }
  const values = new Float32Array(count);
  for await (const piece of readPieces(file, name, { ...layout, buffers })) {
    const firstElement = piece.firstRow * layout.cols;
    const bad = findNonFinite(piece.bytes, dtype);
    if (bad !== undefined) throw describeNonFinite(where, entry.shape, firstElement + bad);
    if (transpose) {
      const block = { ...piece, cols: layout.cols, totalRows: layout.rows };
      widenTransposed(piece.bytes, dtype, values, block);
    } else {
      widen(
        piece.bytes,
        dtype,
        values.subarray(firstElement, firstElement + piece.rows * layout.cols),
      );
    }
  }
  return values;
}

interface PieceLayout {
  readonly rows: number;
  readonly cols: number;
  readonly rowBytes: number;
}

/** Rows as the file counts them: everything under one index of the first dimension. */
function pieceLayout(shape: readonly number[], dtype: FloatDtype): PieceLayout {
  const [rows = 1, ...rest] = shape;
  const cols = rest.reduce((product, size) => product * size, 1);
  return { rows, cols, rowBytes: cols * FLOAT_BYTES[dtype] };
}

interface Piece {
  /** Valid until the next piece is asked for. */
  readonly bytes: Uint8Array;
  readonly firstRow: number;
  readonly rows: number;
}

/** Whole rows in order, at least one each time; the next piece is on its way while the caller works on one. */
async function* readPieces(
  file: SafetensorsFile,
  name: string,
  { rows, rowBytes, buffers }: PieceLayout & { readonly buffers: PieceBuffers },
): AsyncGenerator<Piece> {
  if (rows * rowBytes === 0) return;
  const rowsEach = Math.min(rows, Math.max(1, Math.floor(PIECE_BYTES / rowBytes)));
  const lent = [buffers.take(rowsEach * rowBytes)];
  if (rowsEach < rows) lent.push(buffers.take(rowsEach * rowBytes));
  const start = (firstRow: number, buffer: Uint8Array): Promise<Uint8Array> =>
    file.tensors.get(name)?.shape.length === 0
      ? file.readBytes(name, buffer)
      : file.readRows(name, firstRow, Math.min(rowsEach, rows - firstRow), buffer);
  let pending: Promise<Uint8Array> | undefined = start(0, lent[0]!);
  try {
    for (let firstRow = 0, turn = 1; pending !== undefined; firstRow += rowsEach, turn = 1 - turn) {
      const bytes: Uint8Array = await pending;
      const next = firstRow + rowsEach;
      pending = next < rows ? start(next, lent[turn]!) : undefined;
      yield { bytes, firstRow, rows: bytes.length / rowBytes };
    }
  } finally {
    // The caller may have stopped half-way: a read in flight still writes to its buffer.
    await Promise.allSettled([pending]);
    for (const buffer of lent) buffers.release(buffer);
  }
}

function floatDtype({ dtype }: SafetensorsEntry, where: string): FloatDtype {
  const known = FLOAT_DTYPES.find((name) => name === dtype);
  if (known !== undefined) return known;
  throw new UnsupportedError(`${where}: expected F32, F16 or BF16, got ${dtype}`, {
    hint: "Quantised and double-precision checkpoints must be converted first: load them with transformers and save in bfloat16.",
  });
}

function describeNonFinite(where: string, shape: readonly number[], index: number): FormatError {
  const place: number[] = [];
  let rest = index;
  for (const size of shape.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return new FormatError(`${where}: NaN or infinite value at [${place.join(", ")}]`, {
    hint: "Download the file again; if it stays, this checkpoint is broken (its training diverged, say).",
  });
}
