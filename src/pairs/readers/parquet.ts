import { resolve } from "node:path";

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

import { FormatError } from "../../util/errors.ts";
import type { FileRow, ReadOptions } from "./file-row.ts";
import { valueReader } from "./parquet-values.ts";
import { plainColumns } from "./plain-columns.ts";

/** One thread keeps the file's order and one row group's columns in memory; no extension is ever fetched or loaded. */
const DUCKDB_OPTIONS = {
  threads: "1",
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
} as const;

/**
 * Rows of a Parquet file through DuckDB, streamed a vector (2048 rows) at a time in the file's order. Lists, structs and
 * maps become plain arrays and objects, JSON what it says; integers past 2^53, dates and decimals become strings. Files are read one by one,
 * never as a union: their columns may differ.
 */
export async function* readParquet(path: string, options: ReadOptions): AsyncGenerator<FileRow> {
  const { connection, close } = await openParquetConnection([path]);
  try {
    const result = await connection.stream(
      "SELECT * FROM read_parquet($1, hive_partitioning = false)",
      [resolve(path)],
    );
    const columns = result.columnNames();
    const readers = result.columnTypes().map(valueReader);
    let fileRow = 0;
    for (;;) {
      options.signal?.throwIfAborted();
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      for (const row of chunk.getRows()) {
        const entries = row.map((value, i) => [columns[i]!, readers[i]!(value)] as const);
        const fields = plainColumns(Object.fromEntries(entries));
        yield { kind: "fields", fileRow: fileRow++, bytes: undefined, fields };
      }
    }
  } catch (error) {
    options.signal?.throwIfAborted(); // why work was stopped is no fault of the file
    throw describeParquetError(path, error);
  } finally {
    close();
  }
}

/** A note (key-value metadata) of a Parquet file; undefined where it has none of that name. */
export async function readParquetNote(path: string, name: string): Promise<string | undefined> {
  const { connection, close } = await openParquetConnection([path]);
  try {
    const result = await connection.runAndReadAll(
      "SELECT decode(value) FROM parquet_kv_metadata($1) WHERE decode(key) = $2",
      [resolve(path), name],
    );
    const value = result.getRows()[0]?.[0];
    return typeof value === "string" ? value : undefined;
  } catch (error) {
    throw describeParquetError(path, error);
  } finally {
    close();
  }
}

/** A DuckDB that may touch these files and nothing else, neither on disk nor over the network. The caller closes it. */
export async function openParquetConnection(
  paths: readonly string[],
): Promise<{ connection: DuckDBConnection; close: () => void }> {
  const instance = await DuckDBInstance.create(":memory:", DUCKDB_OPTIONS);
  const connection = await instance.connect();
  const allowed = paths.map((path) => `'${resolve(path).replaceAll("'", "''")}'`);
  await connection.run(`SET allowed_paths = [${allowed.join(", ")}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** DuckDB throws plain errors; those that come from the file's bytes become ours, all others are bugs and pass through. */
export function describeParquetError(path: string, error: unknown): unknown {
  const isJsonFault = error instanceof SyntaxError; // a column of type JSON that holds none
  if (!(error instanceof Error) || (error.constructor !== Error && !isJsonFault)) return error;
  const [first = ""] = error.message.split("\n");
  return new FormatError(`${path}: cannot be read as Parquet: ${first.slice(0, 300)}`, {
    hint: "Download the file again, or check that it is Parquet.",
    cause: error,
  });
}
