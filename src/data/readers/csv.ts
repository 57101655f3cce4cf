import { isUtf8 } from "node:buffer";

import { FormatError } from "../../util/errors.ts";
import { type FileRow, isObject, MAX_ROW_BYTES, ownField, type ReadOptions } from "./file-row.ts";
import { readBytes } from "./read-bytes.ts";

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** What pandas writes for a list of turns; as text it would pass for a message. */
const PYTHON_TURNS = /^\s*\[?\s*\{'(?:role|content|from|value)':/;
const DELIMITERS = [",", "\t", ";"] as const;

/**
 * Rows of a CSV file (RFC 4180; delimiter comma, tab or semicolon, whichever the header holds most of), gzipped or not. The
 * first record names the columns; a column without a name is left out. All values are strings, save that a cell holding a
 * JSON turn or list of turns is parsed, since CSV has no other way to carry conversations.
 *
 * Not through DuckDB, measured with 1.5: one row with a cell too many stops the whole file, its error prints the row's text,
 * and skipping bad rows loses their numbers. Here such a row is `broken-csv` and the next one is read.
 */
export async function* readCsv(path: string, options: ReadOptions): AsyncGenerator<FileRow> {
  let header: Header | undefined;
  let fileRow = 0;
  for await (const bytes of splitRecords(readBytes(path, options.signal))) {
    if (header === undefined) {
      header = readHeader(bytes, path);
    } else if (bytes === undefined || bytes.length > 0) {
      yield readRecord(bytes, fileRow++, header);
    }
  }
}

interface Header {
  readonly columns: readonly string[];
  readonly delimiter: string;
}

function readHeader(bytes: Buffer | undefined, path: string): Header {
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
  return { columns, delimiter };
}

function readRecord(bytes: Buffer | undefined, fileRow: number, header: Header): FileRow {
  const { columns, delimiter } = header;
  const broken = (detail: string): FileRow => ({
    kind: "broken",
    fileRow,
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
  if (cells.some((cell) => PYTHON_TURNS.test(cell))) {
    return broken(
      "expected turns as JSON, got Python's notation (write the column with json.dumps)",
    );
  }
  const entries = cells.map((cell, i) => [columns[i]!, readTurnsCell(cell)] as const);
  return {
    kind: "fields",
    fileRow,
    fields: Object.fromEntries(entries.filter(([name]) => name !== "")),
  };
}

/** The cells of one record, or undefined where its quotes do not fit. */
function splitCells(record: string, delimiter: string): string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let end: number;
    if (record[at] === '"') {
      const close = closingQuote(record, at + 1);
      if (close === undefined) return undefined;
      cells.push(record.slice(at + 1, close).replaceAll('""', '"'));
      end = close + 1;
      if (end < record.length && record[end] !== delimiter) return undefined;
    } else {
      const next = record.indexOf(delimiter, at);
      end = next === -1 ? record.length : next;
      cells.push(record.slice(at, end));
    }
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
async function* splitRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  let delimiters = DELIMITERS.map((each) => each.charCodeAt(0));
  // A quote opens a cell only at its start: in `5" disk` it is text.
  let state: "cell-start" | "plain" | "quoted" | "after-quote" = "cell-start";
  const add = (part: Buffer): void => {
    sizeBytes += part.length;
    if (sizeBytes <= MAX_ROW_BYTES) parts.push(part);
    else parts = [];
  };
  const take = (): Buffer | undefined => {
    const record = sizeBytes > MAX_ROW_BYTES ? undefined : withoutReturn(Buffer.concat(parts));
    parts = [];
    sizeBytes = 0;
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
        add(chunk.subarray(start, i));
        start = i + 1;
        state = "cell-start";
        yield take();
      } else {
        state = delimiters.includes(byte) ? "cell-start" : "plain";
      }
    }
    add(chunk.subarray(start));
  }
  if (sizeBytes > 0) yield take();
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

/**
 * A cell as a turn or a list of turns where it holds exactly that as JSON, otherwise its text. The test is narrow so that
 * a prompt which happens to be some other JSON stays the text that it is.
 */
function readTurnsCell(cell: string): unknown {
  if (!/^\s*(\{|\[\s*\{)/.test(cell)) return cell;
  let value: unknown;
  try {
    value = JSON.parse(cell);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return cell;
  }
  return (Array.isArray(value) ? value : [value]).every(isTurnLike) ? value : cell;
}

function isTurnLike(value: unknown): boolean {
  if (!isObject(value)) return false;
  const has = (name: string): boolean => typeof ownField(value, name) === "string";
  return (has("role") && has("content")) || (has("from") && has("value"));
}
