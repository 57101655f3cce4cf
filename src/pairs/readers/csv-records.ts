/** @file CSV text cut into records and cells; see csv.ts for what is read as a row. */
import { isUtf8 } from "node:buffer";

import { FormatError } from "../../util/errors.ts";
import type { ReadOptions } from "./file-row.ts";
import { readBytes } from "./read-bytes.ts";
import { createRowBuffer } from "./row-buffer.ts";

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const DELIMITERS = [",", "\t", ";"] as const;

/** The first record of a CSV file. */
export interface CsvHeader {
  readonly columns: readonly string[];
  readonly delimiter: string;
  /** As it is written, without its line end. */
  readonly text: string;
}

/** Reads the header of a file. Throws FormatError where it does not name different columns. */
export async function readCsvHeader(path: string, options: ReadOptions): Promise<CsvHeader> {
  for await (const record of splitRecords(readBytes(path, options.signal))) {
    return parseHeader(record, path);
  }
  return parseHeader(undefined, path);
}

/** Reads a first record. Throws FormatError where it does not name different columns. */
export function parseHeader(bytes: Buffer | undefined, path: string): CsvHeader {
  const delimiter = bestDelimiter(bytes);
  const columns =
    bytes === undefined || bytes.length === 0 || !isUtf8(bytes)
      ? undefined
      : splitCells(bytes.toString("utf8"), delimiter);
  if (columns === undefined) {
    throw new FormatError(`${path}: expected a first line with the columns' names`);
  }
  const repeated = columns.find((name, i) => name !== "" && columns.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new FormatError(`${path}: expected different columns, got "${repeated}" twice`);
  }
  return { columns, delimiter, text: bytes?.toString("utf8") ?? "" };
}

/** The values of the cells of one record, or undefined where its quotes do not fit. */
export function splitCells(record: string, delimiter: string): string[] | undefined {
  return splitRawCells(record, delimiter)?.map((cell) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  );
}

/** The cells of one record as they are written, quotes included, or undefined where the quotes do not fit. */
export function splitRawCells(record: string, delimiter: string): string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let end: number;
    if (record[at] === '"') {
      const close = closingQuote(record, at + 1);
      if (close === undefined) return undefined;
      end = close + 1;
      if (end < record.length && record[end] !== delimiter) return undefined;
    } else {
      const next = record.indexOf(delimiter, at);
      end = next === -1 ? record.length : next;
    }
    cells.push(record.slice(at, end));
    if (end >= record.length) return cells;
    at = end + 1;
  }
}

/** The index of the quote that is not doubled, from `start` on. */
function closingQuote(record: string, start: number): number | undefined {
  for (let at = record.indexOf('"', start); at !== -1; at = record.indexOf('"', at + 2)) {
    if (record[at + 1] !== '"') return at;
  }
  return undefined;
}

/** Records without their line end, which may be "\n" or "\r\n"; undefined for one above MAX_ROW_BYTES. */
export async function* splitRecords(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer | undefined> {
  const bytes = createRowBuffer();
  let delimiters = DELIMITERS.map((each) => each.charCodeAt(0));
  // A quote opens a cell only at its start: in `5" disk` it is text.
  let state: "cell-start" | "plain" | "quoted" | "after-quote" = "cell-start";
  const take = (): Buffer | undefined => {
    const row = bytes.take();
    const record = row && withoutReturn(row);
    // The header decides; before it is whole, any of them may start a cell.
    if (delimiters.length > 1) delimiters = [bestDelimiter(record).charCodeAt(0)];
    return record;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (state === "quoted") {
        if (byte === QUOTE) state = "after-quote";
      } else if (byte === QUOTE) {
        // A second quote right after one is a doubled quote: still inside.
        state = state === "plain" ? "plain" : "quoted";
      } else if (byte === LINE_FEED) {
        bytes.add(chunk.subarray(start, i));
        start = i + 1;
        state = "cell-start";
        yield take();
      } else {
        state = delimiters.includes(byte) ? "cell-start" : "plain";
      }
    }
    bytes.add(chunk.subarray(start));
  }
  if (bytes.hasBytes()) yield take();
}

function withoutReturn(record: Buffer): Buffer {
  return record.at(-1) === CARRIAGE_RETURN ? record.subarray(0, -1) : record;
}

/** The delimiter that cuts the header into most cells; a comma where none does. */
function bestDelimiter(header: Buffer | undefined): string {
  const text = header?.toString("utf8") ?? "";
  const counts = DELIMITERS.map((each) => splitCells(text, each)?.length ?? 0);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}
