/**
 * @file A Parquet file with some rows left out, swapped or given an id; DuckDB copies it, so nested types stay. The file's notes are copied
 * too: pyarrow keeps there which columns are dictionaries, `datasets` what its features are.
 */
import { resolve } from "node:path";

import { DuckDBDataChunk, type DuckDBConnection, BOOLEAN, VARCHAR } from "@duckdb/node-api";

import { describeFullDisk } from "../../util/atomic-file.ts";
import { UnsupportedError } from "../../util/errors.ts";
import type { ReadOptions } from "../readers/file-row.ts";
import { describeParquetError, openParquetConnection } from "../readers/parquet.ts";
import { keptNotes, notesOption, readNotes } from "./parquet-notes.ts";
import type { FileEdit } from "./row-edit.ts";

/** Rows of one DuckDB vector. */
const CHUNK_ROWS = 2048;
/** A row group is held in memory while it is written: few enough rows for long texts, enough for reading at speed. */
const ROW_GROUP = 8192;

/**
 * Writes the edited file to `target`, rows in their order. The `rows` of the source are told by the caller, who has counted
 * them. Throws UnsupportedError where the two sides have types that cannot change places.
 */
export async function writeParquet(
  path: string,
  target: string,
  edit: FileEdit,
  { rows, signal }: ReadOptions & { readonly rows: number },
): Promise<void> {
  const { connection, close } = await openParquetConnection([path, target]);
  try {
    await connection.run("CREATE TABLE edit (id VARCHAR, is_kept BOOLEAN, is_swapped BOOLEAN)");
    await appendEdits(connection, edit, rows, signal);
    const types = await columnTypes(connection, path);
    // Row by row beside the edits: one thread reads both in order.
    const notes = keptNotes(await readNotes(connection, path), changedColumns(types, edit));
    await connection.run(
      `COPY (SELECT ${selection(path, types, edit)} FROM ${source(path)} AS t POSITIONAL JOIN edit AS e WHERE e.is_kept)
       TO '${quoteText(resolve(target))}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP}${notesOption(notes)})`,
    );
  } catch (error) {
    signal?.throwIfAborted(); // why work was stopped is no fault of the file
    const unwritten = describeFullDisk(target, error);
    throw unwritten === error ? describeParquetError(path, error) : unwritten;
  } finally {
    close();
  }
}

async function appendEdits(
  connection: DuckDBConnection,
  { editOf }: FileEdit,
  rows: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const appender = await connection.createAppender("edit");
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    signal?.throwIfAborted();
    const count = Math.min(CHUNK_ROWS, rows - first);
    const edits = Array.from({ length: count }, (_, i) => editOf(first + i));
    const chunk = DuckDBDataChunk.create([VARCHAR, BOOLEAN, BOOLEAN], count);
    chunk.setColumns([
      edits.map((each) => (each.kind === "keep" ? (each.id ?? null) : null)),
      edits.map((each) => each.kind === "keep"),
      edits.map((each) => each.kind === "keep" && each.isSwapped),
    ]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

async function columnTypes(
  connection: DuckDBConnection,
  path: string,
): Promise<ReadonlyMap<string, string>> {
  const result = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source(path)}`);
  return new Map(result.getRows().map((row) => [String(row[0]), String(row[1])]));
}

/** The columns of the output as SQL: all of the file's, sides exchanged in swapped rows, ids written over where there is one. */
function selection(
  path: string,
  types: ReadonlyMap<string, string>,
  { idColumn, sides }: FileEdit,
): string {
  const replaced: string[] = [];
  for (const { chosen, rejected } of sides) {
    const [type, other] = [types.get(chosen), types.get(rejected)];
    if (type === undefined || other === undefined) continue;
    if (type !== other && !(isNumeric(type) && isNumeric(other))) {
      throw new UnsupportedError(
        `${path}: expected "${chosen}" and "${rejected}" of one type, got ${type.slice(0, 80)} and ${other.slice(0, 80)}`,
        { hint: "Write the data as JSONL and edit that." },
      );
    }
    const [a, b] = [`t.${quoteName(chosen)}`, `t.${quoteName(rejected)}`];
    replaced.push(`CASE WHEN e.is_swapped THEN ${b} ELSE ${a} END AS ${quoteName(chosen)}`);
    replaced.push(`CASE WHEN e.is_swapped THEN ${a} ELSE ${b} END AS ${quoteName(rejected)}`);
  }
  const isNewColumn = idColumn !== undefined && !types.has(idColumn);
  if (idColumn !== undefined && !isNewColumn) {
    const own = `CAST(t.${quoteName(idColumn)} AS VARCHAR)`;
    replaced.push(`COALESCE(e.id, ${own}) AS ${quoteName(idColumn)}`);
  }
  const all = replaced.length === 0 ? "t.*" : `t.* REPLACE (${replaced.join(", ")})`;
  return isNewColumn ? `e.id AS ${quoteName(idColumn)}, ${all}` : all;
}

/** Columns of the output that have another type than in the file, or were not in it. */
function changedColumns(
  types: ReadonlyMap<string, string>,
  { idColumn, sides }: FileEdit,
): readonly string[] {
  const mixed = sides.filter(
    ({ chosen, rejected }) =>
      types.has(chosen) && types.has(rejected) && types.get(chosen) !== types.get(rejected),
  );
  return [
    ...(idColumn === undefined || types.get(idColumn) === "VARCHAR" ? [] : [idColumn]),
    ...mixed.flatMap(({ chosen, rejected }) => [chosen, rejected]),
  ];
}

function isNumeric(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE)$/.test(type);
}

function source(path: string): string {
  return `read_parquet('${quoteText(resolve(path))}', hive_partitioning = false)`;
}

function quoteText(text: string): string {
  return text.replaceAll("'", "''");
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
