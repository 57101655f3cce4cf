import { ConfigError } from "../../util/errors.ts";
import { readCsv } from "./csv.ts";
import type { FileRow, ReadOptions, RowReader } from "./file-row.ts";
import { ARROW_HINT } from "./folder-hint.ts";
import { readJsonArray } from "./json-array.ts";
import { readJsonLines } from "./json-lines.ts";
import { readBytes, readHead } from "./read-bytes.ts";
import { parseTurnTexts } from "./turn-text.ts";

const READERS = {
  "json-lines": readJsonLines,
  "json-array": readJsonArray,
  csv: readCsv,
  // DuckDB takes a third of a second to load: only those who read Parquet wait for it.
  parquet: async function* (path, options) {
    const { readParquet } = await import("./parquet.ts");
    yield* readParquet(path, options);
  },
} as const satisfies Readonly<Record<string, RowReader>>;

/** The formats of data files. */
export type FileFormat = keyof typeof READERS;

/**
 * Streams the rows of a data file in its order, whatever its format; turns that a column holds as JSON text are read as turns. See
 * RowReader for what is thrown.
 */
export async function* readRows(path: string, options: ReadOptions = {}): AsyncGenerator<FileRow> {
  for await (const row of READERS[await detectFormat(path)](path, options))
    yield parseTurnTexts(row);
}

/**
 * The format of a file: Parquet by its first bytes, otherwise by its name (`.gz` aside); `.json` and names that say nothing
 * by the first character. Throws ConfigError where none fits.
 */
export async function detectFormat(path: string): Promise<FileFormat> {
  if ((await readHead(path)).toString("latin1") === "PAR1") return "parquet";
  const extension = /\.([a-z]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
  if (extension === "jsonl" || extension === "ndjson") return "json-lines";
  if (extension === "csv" || extension === "tsv") return "csv";
  if (extension === "parquet") return "parquet";
  const first = await firstCharacter(path);
  if (first === "[") return "json-array";
  // A `.json` file of other text is read by line too: its rows then say what is wrong with them.
  if (first === "{" || extension === "json") return "json-lines";
  const isArrow = extension === "arrow";
  throw new ConfigError(`${path}: expected a data file, got an unknown kind`, {
    hint: isArrow
      ? ARROW_HINT
      : "Known are .jsonl, .json, .csv, .tsv (each also .gz) and .parquet; scenarios, constraints and rules may be .yaml too.",
  });
}

/** The first character that is not white space within the file's first chunk. */
async function firstCharacter(path: string): Promise<string | undefined> {
  for await (const chunk of readBytes(path)) {
    const first = chunk.find((byte) => byte > 0x20);
    if (first !== undefined) return String.fromCharCode(first);
  }
  return undefined;
}
