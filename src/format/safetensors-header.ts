import { FormatError } from "../util/errors.ts";
import {
  isSafetensorsDtype,
  tensorByteLength,
  type SafetensorsDtype,
} from "./safetensors-dtype.ts";
import { findDuplicateKey } from "./safetensors-json.ts";

/** Where one tensor lies in its file. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** What a safetensors header says, checked against the file's size. */
export interface SafetensorsHeader {
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** Without prototype; empty where the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes before the JSON text: its length as a 64-bit little-endian integer. */
export const LENGTH_BYTES = 8;
/** The reference implementation refuses longer headers; so nobody writes them. */
export const MAX_HEADER_BYTES = 100_000_000;

const DOWNLOAD_AGAIN = "Download the file again, or write it again with the program that made it.";

/**
 * Reads the header at the start of a safetensors file. `bytes` holds at least the length field and the JSON text,
 * `fileSizeBytes` is the size of the whole file, `name` stands in messages. Nothing is allocated from sizes that the file
 * claims before they are checked. Throws FormatError for everything that the format forbids: lengths beyond the file, invalid or
 * ambiguous JSON, unknown dtypes, shapes that do not fit their bytes, tensors that overlap, leave a hole or pass the end.
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  fileSizeBytes: number,
  name: string,
): SafetensorsHeader {
  const dataStart = LENGTH_BYTES + parseHeaderLength(bytes, fileSizeBytes, name);
  if (bytes.length < dataStart) {
    throw formatError(`${name}: header ends at byte ${dataStart}, got ${bytes.length} bytes`);
  }
  const members = parseObject(bytes.subarray(LENGTH_BYTES, dataStart), name);
  const tensors = new Map<string, SafetensorsEntry>();
  let metadata: Readonly<Record<string, string>> = Object.freeze(Object.create(null));
  for (const [key, value] of Object.entries(members)) {
    if (key === "__metadata__") metadata = parseMetadata(value, name);
    else tensors.set(key, parseEntry(value, dataStart, `${name}: tensor ${quoteName(key)}`));
  }
  checkLayout(tensors, { dataStart, fileSizeBytes, name });
  return { tensors, metadata };
}

/** Length of the JSON text from the first 8 bytes of a file, checked against the limit and the file's size. */
export function parseHeaderLength(bytes: Uint8Array, fileSizeBytes: number, name: string): number {
  if (bytes.length < LENGTH_BYTES || fileSizeBytes < LENGTH_BYTES) {
    const size = Math.min(bytes.length, fileSizeBytes);
    throw formatError(`${name}: a safetensors file has at least 8 bytes, this one has ${size}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      `${name}: expected a safetensors file, whose header has at most ${MAX_HEADER_BYTES} bytes, got one of ${length} bytes`,
      {
        hint: "Check that this is not, say, a text file, an HTML page or a Git LFS pointer. Behaviours are written by culprit behavior.",
      },
    );
  }
  if (length > fileSizeBytes - LENGTH_BYTES) {
    throw formatError(`${name}: header ends at byte ${length + 8n}, file has ${fileSizeBytes}`);
  }
  return Number(length);
}

/** A tensor name in quotes, cut where a hostile one would flood the terminal. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

function parseObject(bytes: Uint8Array, name: string): object {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw formatError(`${name}: header is not valid UTF-8 JSON`, cause);
  }
  if (!isPlainObject(value)) throw formatError(`${name}: header must be a JSON object`);
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) {
    throw formatError(`${name}: header has the key ${quoteName(duplicate)} twice`);
  }
  return value;
}

function parseMetadata(value: unknown, name: string): Readonly<Record<string, string>> {
  if (!isPlainObject(value)) throw formatError(`${name}: __metadata__ must be a JSON object`);
  const metadata = Object.create(null) as Record<string, string>;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw formatError(`${name}: __metadata__ ${quoteName(key)} must be a string`);
    }
    metadata[key] = text;
  }
  return Object.freeze(metadata);
}

function parseEntry(value: unknown, dataStart: number, where: string): SafetensorsEntry {
  if (!isPlainObject(value)) throw formatError(`${where} must be a JSON object`);
  const { dtype, shape, data_offsets: offsets } = value as Readonly<Record<string, unknown>>;
  if (typeof dtype !== "string" || !isSafetensorsDtype(dtype)) {
    throw formatError(`${where} has the unknown dtype ${quoteName(String(dtype))}`);
  }
  if (!isSizes(shape)) throw formatError(`${where} has no shape of whole numbers from 0 to 2^53-1`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw formatError(`${where} has no data_offsets [begin, end] of whole numbers`);
  }
  const [begin, end] = offsets as readonly [number, number];
  const byteLength = tensorByteLength(dtype, shape);
  if (byteLength === undefined || byteLength !== end - begin) {
    const shown = `${dtype} [${shape.slice(0, 8).join(", ")}${shape.length > 8 ? ", …" : ""}]`;
    const needs = byteLength === undefined ? "no whole number of bytes" : `${byteLength} bytes`;
    throw formatError(
      `${where} of ${shown} needs ${needs}, its offsets ${begin}–${end} span ${end - begin}`,
    );
  }
  return { dtype, shape, byteOffset: dataStart + begin, byteLength };
}

/** The tensors must cover the data area exactly, as the format demands: a hole could hide bytes, an overlap is a trick. */
function checkLayout(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  file: { readonly dataStart: number; readonly fileSizeBytes: number; readonly name: string },
): void {
  const inOrder = [...tensors].toSorted(
    ([, a], [, b]) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength,
  );
  let covered = file.dataStart;
  for (const [key, { byteOffset, byteLength }] of inOrder) {
    const where = `${file.name}: tensor ${quoteName(key)}`;
    const end = byteOffset + byteLength;
    if (end > file.fileSizeBytes) {
      throw formatError(`${where} ends at byte ${end}, file has ${file.fileSizeBytes}`);
    }
    if (byteOffset !== covered) {
      const fault =
        byteOffset < covered ? "overlaps the tensor before it" : "leaves a hole before it";
      throw formatError(`${where} ${fault}: begins at byte ${byteOffset}, expected ${covered}`);
    }
    covered = end;
  }
  if (covered !== file.fileSizeBytes) {
    throw formatError(
      `${file.name}: tensors end at byte ${covered}, file has ${file.fileSizeBytes}`,
    );
  }
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.every(
      (size: unknown) =>
        Number.isSafeInteger(size) && (size as number) >= 0 && !Object.is(size, -0),
    )
  );
}

function formatError(message: string, cause?: unknown): FormatError {
  return new FormatError(message, { hint: DOWNLOAD_AGAIN, cause });
}
