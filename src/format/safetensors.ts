import { constants } from "node:buffer";
import { open, type FileHandle } from "node:fs/promises";

import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import {
  LENGTH_BYTES,
  parseHeaderLength,
  parseSafetensorsHeader,
  quoteName,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors-header.ts";

export { type SafetensorsDtype } from "./safetensors-dtype.ts";
export {
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors-header.ts";
export { writeSafetensors, type SafetensorsTensor } from "./safetensors-write.ts";

/**
 * Opens a safetensors file and checks its header; no tensor is read yet. Throws ConfigError where there is no such file,
 * FormatError where its bytes break the format.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await openRegularFile(path);
  try {
    const { size } = await handle.stat();
    const start = new Uint8Array(Math.min(size, LENGTH_BYTES));
    await readFully(handle, start, { position: 0, name: path });
    const headerBytes = new Uint8Array(LENGTH_BYTES + parseHeaderLength(start, size, path));
    await readFully(handle, headerBytes, { position: 0, name: path });
    return new SafetensorsFile(path, handle, parseSafetensorsHeader(headerBytes, size, path));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** An open safetensors file: its header in memory, its tensors read on request. Close it, or hold it with `await using`. */
export class SafetensorsFile implements AsyncDisposable {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #handle: FileHandle;

  /** Takes over `handle`; use `openSafetensors`. */
  constructor(path: string, handle: FileHandle, header: SafetensorsHeader) {
    this.path = path;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
    this.#handle = handle;
  }

  /** Bytes of a whole tensor, in `into` (at least as long) if given; returns exactly the bytes read. */
  async readBytes(name: string, into?: Uint8Array): Promise<Uint8Array> {
    const { byteOffset, byteLength } = this.#entry(name);
    return this.#read(name, byteOffset, { byteLength, into });
  }

  /**
   * Bytes of `rowCount` rows from `firstRow` on, a row being everything under one index of the first dimension. Writes to
   * `into` (at least as long) if given; returns exactly the bytes read.
   */
  async readRows(
    name: string,
    firstRow: number,
    rowCount: number,
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    const { shape, byteOffset, byteLength } = this.#entry(name);
    const rows = shape[0] ?? 0;
    const areRowsInside = firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= rows;
    if (!areRowsInside || !Number.isInteger(firstRow) || !Number.isInteger(rowCount)) {
      const asked = `rows ${firstRow} to ${firstRow + rowCount}`;
      throw new Error(
        `internal: ${this.path}: tensor ${quoteName(name)} has ${rows} rows, asked for ${asked}`,
      );
    }
    const rowBytes = rows === 0 ? 0 : byteLength / rows;
    if (!Number.isInteger(rowBytes)) {
      throw new UnsupportedError(
        `${this.path}: rows of ${quoteName(name)} are no whole number of bytes`,
      );
    }
    return this.#read(name, byteOffset + firstRow * rowBytes, {
      byteLength: rowCount * rowBytes,
      into,
    });
  }

  /** Closes the file; reads after that fail. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #entry(name: string): SafetensorsEntry {
    const entry = this.tensors.get(name);
    if (entry !== undefined) return entry;
    throw new FormatError(`${this.path}: expected a tensor ${quoteName(name)}, there is none`, {
      hint: "Check that this is the right file, and that it belongs to this checkpoint or store.",
    });
  }

  async #read(
    name: string,
    position: number,
    { byteLength, into }: { readonly byteLength: number; readonly into: Uint8Array | undefined },
  ): Promise<Uint8Array> {
    if (into === undefined && byteLength > constants.MAX_LENGTH) {
      throw new UnsupportedError(
        `${this.path}: tensor ${quoteName(name)} of ${byteLength} bytes, one buffer holds ${constants.MAX_LENGTH}`,
        { hint: "Read it in parts with readRows." },
      );
    }
    if (into !== undefined && into.length < byteLength) {
      throw new Error(
        `internal: ${this.path}: ${byteLength} bytes to read, room for ${into.length}`,
      );
    }
    const target = into === undefined ? new Uint8Array(byteLength) : into.subarray(0, byteLength);
    await readFully(this.#handle, target, { position, name: this.path });
    return target;
  }
}

/**
 * Fills `target` from `position` on, in pieces of `pieceBytes`: one read call is limited to 2^31-1 bytes, and the system may
 * return less than asked for. Throws FormatError where the file ends first.
 */
export async function readFully(
  handle: Pick<FileHandle, "read">,
  target: Uint8Array,
  options: {
    readonly position: number;
    readonly name: string;
    readonly pieceBytes?: number | undefined;
  },
): Promise<void> {
  const { position, name, pieceBytes = 2 ** 30 } = options;
  for (let done = 0; done < target.length;) {
    const length = Math.min(pieceBytes, target.length - done);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) {
      throw new FormatError(`${name}: ended at byte ${position + done} while being read`, {
        hint: "Check that nothing else writes to the file, then run again.",
      });
    }
    done += bytesRead;
  }
}

async function openRegularFile(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // fs promises reject with nothing else
    if (code === undefined) throw cause;
    const why = code === "ENOENT" ? "no such file" : `cannot be opened (${code})`;
    throw new ConfigError(`${path}: ${why}`, { hint: "Check the path.", cause });
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new ConfigError(`${path}: expected a file`, { hint: "Check the path." });
}
