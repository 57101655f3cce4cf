import { isUtf8 } from "node:buffer";

import { type CsvHeader, parseHeader, splitCells, splitRecords } from "./csv-records.ts";
import { type FileRow, MAX_ROW_BYTES, type ReadOptions } from "./file-row.ts";
import { readBytes } from "./read-bytes.ts";

/**
 * Rows of a CSV file (RFC 4180; delimiter comma, tab or semicolon, whichever the header holds most of), gzipped or not. The
 * first record names the columns; a column without a name is left out. All values are strings; turns as JSON are read by parseTurnTexts.
 *
 * Not through DuckDB, measured with 1.5: one row with a cell too many stops the whole file, its error prints the row's text,
 * and skipping bad rows loses their numbers. Here such a row is `broken-csv` and the next one is read.
 */
export async function* readCsv(path: string, options: ReadOptions): AsyncGenerator<FileRow> {
  let header: CsvHeader | undefined;
  let fileRow = 0;
  for await (const bytes of splitRecords(readBytes(path, options.signal))) {
    if (header === undefined) {
      header = parseHeader(bytes, path);
    } else if (bytes === undefined || bytes.length > 0) {
      yield readRecord(bytes, fileRow++, header);
    }
  }
}

function readRecord(bytes: Buffer | undefined, fileRow: number, header: CsvHeader): FileRow {
  const { columns, delimiter } = header;
  const broken = (detail: string): FileRow => ({
    kind: "broken",
    fileRow,
    bytes,
    reason: "broken-csv",
    detail,
  });
  if (bytes === undefined) {
    return broken(`expected at most ${MAX_ROW_BYTES / 2 ** 20} MiB in one row, got more`);
  }
  if (!isUtf8(bytes)) return broken("expected UTF-8 text, got other bytes");
  const cells = splitCells(bytes.toString("utf8"), delimiter);
  if (cells === undefined) return broken("expected closed quotes, got text that breaks them");
  if (cells.length !== columns.length) {
    return broken(`expected ${columns.length} cells, got ${cells.length}`);
  }
  const entries = cells.map((cell, i) => [columns[i]!, cell] as const);
  return {
    kind: "fields",
    fileRow,
    bytes,
    fields: Object.fromEntries(entries.filter(([name]) => name !== "")),
  };
}
