import { Readable } from "node:stream";
import { createGzip } from "node:zlib";

import { writeFileAtomic } from "../../util/atomic-file.ts";
import type { ReadOptions } from "../readers/file-row.ts";
import { isGzip, readHead } from "../readers/read-bytes.ts";
import { detectFormat, type FileFormat } from "../readers/read-rows.ts";
import { writeCsv } from "./csv-text.ts";
import { writeJsonArray, writeJsonLines } from "./json-text.ts";
import type { FileEdit, TextWriter } from "./row-edit.ts";

const TEXT_WRITERS: { readonly [F in Exclude<FileFormat, "parquet">]: TextWriter } = {
  "json-lines": writeJsonLines,
  "json-array": writeJsonArray,
  csv: writeCsv,
};

/** Small pieces are written together. */
const CHUNK_BYTES = 1 << 18;

/**
 * Writes a data file again in its own format, gzipped where it was: rows left out, swapped or given an id, all others as they
 * are, in their order, memory bounded. `rows` is the number of rows of the source. `target` appears whole or not at all.
 * Throws UnsupportedError for a row that cannot be copied or swapped.
 */
export async function rewriteFile(
  path: string,
  target: string,
  edit: FileEdit,
  options: ReadOptions & { readonly rows: number },
): Promise<void> {
  const format = await detectFormat(path);
  if (format === "parquet") {
    const { writeParquet } = await import("./parquet.ts");
    await writeParquet(path, target, edit, options);
    return;
  }
  const text = joinPieces(TEXT_WRITERS[format](path, edit, options));
  await writeFileAtomic(target, isGzip(await readHead(path)) ? gzip(text) : text);
}

async function* joinPieces(pieces: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of pieces) {
    const part = typeof piece === "string" ? Buffer.from(piece, "utf8") : piece;
    parts.push(part);
    sizeBytes += part.length;
    if (sizeBytes < CHUNK_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    sizeBytes = 0;
  }
  if (sizeBytes > 0) yield Buffer.concat(parts);
}

async function* gzip(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(bytes);
  const packed = createGzip();
  source.once("error", (error) => packed.destroy(error));
  try {
    for await (const chunk of source.pipe(packed)) yield chunk as Buffer; // no encoding is set, so chunks are buffers
  } finally {
    source.destroy();
  }
}
