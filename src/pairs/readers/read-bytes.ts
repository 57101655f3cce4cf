import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";

import { ConfigError, FormatError, UnsupportedError } from "../../util/errors.ts";
import { describeReadFault } from "../../util/read-fault.ts";
import { folderHint } from "./folder-hint.ts";

/** Large enough that the cost per chunk vanishes, small enough that a chunk held by a row costs nothing. */
const CHUNK_BYTES = 1 << 18;

/**
 * Streams a text file's bytes: gzip is undone where the file's first bytes say so (whatever its name), and a UTF-8 byte
 * order mark is left out. Throws ConfigError for a file that cannot be opened, FormatError for damaged gzip or UTF-16.
 */
export async function* readBytes(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of unpackedBytes(path, await readHead(path))) {
    signal?.throwIfAborted();
    if (isFirst) {
      isFirst = false;
      if (startsWith(chunk, [0xff, 0xfe]) || startsWith(chunk, [0xfe, 0xff])) {
        throw new FormatError(`${path}: expected UTF-8 text, got UTF-16`, {
          hint: "Save the file as UTF-8.",
        });
      }
      yield startsWith(chunk, [0xef, 0xbb, 0xbf]) ? chunk.subarray(3) : chunk;
    } else {
      yield chunk;
    }
  }
}

/** The first bytes of a file as they are on disk, at most 4. */
export async function readHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw await describeOpenError(path, error);
  }
}

/** Whether a file that begins with these bytes is gzip. */
export function isGzip(head: Buffer): boolean {
  return startsWith(head, [0x1f, 0x8b]);
}

async function* unpackedBytes(path: string, head: Buffer): AsyncGenerator<Buffer> {
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) {
    throw new UnsupportedError(`${path}: expected plain or gzip text, got zstd`, {
      hint: "Unpack it first: zstd -d FILE.",
    });
  }
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (!isGzip(head)) {
    for await (const chunk of file) yield chunk as Buffer; // no encoding is set, so chunks are buffers
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  file.once("error", (error) => gunzip.destroy(error));
  try {
    for await (const chunk of file.pipe(gunzip)) yield chunk as Buffer; // as above
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "Z_DATA_ERROR" && code !== "Z_BUF_ERROR") throw error;
    throw new FormatError(
      `${path}: expected whole gzip data, got ${code === "Z_BUF_ERROR" ? "an early end" : "damaged bytes"}`,
      { hint: "Download or pack the file again.", cause: error },
    );
  } finally {
    file.destroy();
  }
}

function startsWith(bytes: Buffer, prefix: readonly number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

async function describeOpenError(path: string, error: unknown): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EISDIR") {
    return new ConfigError(`${path}: expected a file, got a folder`, {
      hint: await folderHint(path),
      cause: error,
    });
  }
  return describeReadFault(path, error);
}
