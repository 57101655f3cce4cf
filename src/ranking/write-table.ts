/** @file Tables on disk: Parquet, JSON lines or CSV, through DuckDB. */
import { mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";

import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";

import { describeFullDisk, describeWriteError } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";

/** How each extension is written. */
const FORMATS: Readonly<Record<string, string>> = {
  ".parquet": "FORMAT parquet, COMPRESSION zstd",
  ".jsonl": "FORMAT json",
  ".csv": "FORMAT csv, HEADER",
};

/** How the name of a table's file may end. */
export const TABLE_ENDINGS = Object.keys(FORMATS);

/** Rows of one DuckDB vector. */
export const CHUNK_ROWS = 2048;
/** A larger table, or one of unknown size, is kept on disk beside the output while it is made, so that memory does not grow with its rows. */
const MAX_ROWS_IN_MEMORY = 2 ** 20;
const DUCKDB_OPTIONS = {
  threads: "1",
  memory_limit: "400MB",
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
} as const;

/** A column of a table: its cell in each row, or the text that stands in all of them. */
export type TableColumn<R> = { readonly name: string } & (
  | {
      readonly type: "VARCHAR" | "INTEGER" | "FLOAT" | "DOUBLE" | "BOOLEAN";
      value(row: R): DuckDBValue;
    }
  | { readonly type: "VARCHAR"; readonly constant: string }
);
type VaryingColumn<R> = Extract<TableColumn<R>, { value: unknown }>;

export interface TableOptions {
  /** For the metadata of a Parquet file. */
  readonly notes?: Readonly<Record<string, string>> | undefined;
  /** How many rows the chunks have, where that is known; fewer than a million or so are held in memory. */
  readonly rows?: number | undefined;
}

/**
 * Writes a table whole or not at all, in the format of the extension (.parquet, .jsonl, .csv). `chunks` have up to CHUNK_ROWS rows each.
 * Throws ConfigError unless the extension says how to write it.
 */
export async function writeTable<R>(
  path: string,
  columns: readonly TableColumn<R>[],
  chunks: Iterable<readonly R[]>,
  { notes = {}, rows = Infinity }: TableOptions = {},
): Promise<void> {
  requireTableFormat(path);
  // On the disk of the output, so that the finished file only has to be renamed.
  const work = await mkdtemp(join(dirname(resolve(path)), ".culprit-table-")).catch(
    (error: unknown) => {
      throw describeWriteError(path, error);
    },
  );
  try {
    // Loading DuckDB takes a third of a second: not before it is needed.
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const place = rows <= MAX_ROWS_IN_MEMORY ? ":memory:" : join(work, "table.duckdb");
    const instance = await DuckDBInstance.create(place, {
      ...DUCKDB_OPTIONS,
      temp_directory: work,
    });
    const connection = await instance.connect();
    try {
      const varying = columns.filter((column) => "value" in column);
      const names = varying.map(({ name, type }) => `${quoteName(name)} ${type}`);
      await connection.run(`CREATE TABLE rows (${names.join(", ")})`);
      await append(connection, varying, chunks);
      const partial = join(work, basename(path));
      // A text that is the same everywhere is not carried over row by row.
      const cells = columns.map((column) =>
        "constant" in column
          ? `${quoteText(column.constant)} AS ${quoteName(column.name)}`
          : quoteName(column.name),
      );
      await connection.run(
        `COPY (SELECT ${cells.join(", ")} FROM rows) TO ${quoteText(partial)} (${copyOptions(path, notes)})`,
      );
      await rename(partial, path);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  } catch (error) {
    throw describeFullDisk(path, error);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function requireTableFormat(path: string): void {
  if (FORMATS[extname(path)] !== undefined) return;
  throw new ConfigError(
    `${path}: expected a name ending in ${TABLE_ENDINGS.join(", ")}, got "${extname(path)}"`,
  );
}

function copyOptions(path: string, notes: Readonly<Record<string, string>>): string {
  const format = FORMATS[extname(path)]!; // checked
  const noted = Object.entries(notes).map(([name, text]) => `${name}: ${quoteText(text)}`);
  if (extname(path) !== ".parquet" || noted.length === 0) return format;
  return `${format}, KV_METADATA {${noted.join(", ")}}`;
}

async function append<R>(
  connection: DuckDBConnection,
  columns: readonly VaryingColumn<R>[],
  chunks: Iterable<readonly R[]>,
): Promise<void> {
  const duckdb = await import("@duckdb/node-api");
  const appender = await connection.createAppender("rows");
  const types = columns.map(({ type }) => duckdb[type]);
  for (const rows of chunks) {
    const chunk = duckdb.DuckDBDataChunk.create(types, rows.length);
    chunk.setColumns(columns.map((column) => rows.map((row) => column.value(row))));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
