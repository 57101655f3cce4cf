import { resolve } from "node:path";

import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  type DuckDBValue,
} from "@duckdb/node-api";

import { FormatError } from "../../util/errors.ts";
import type { FileRow, ReadOptions } from "./file-row.ts";

/** One thread keeps the file's order and one row group's columns in memory; no extension is ever fetched or loaded. */
const DUCKDB_OPTIONS = {
  threads: "1",
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
} as const;

/**
 * Rows of a Parquet file through DuckDB, streamed a vector (2048 rows) at a time in the file's order. Lists, structs and
 * maps become plain arrays and objects; integers past 2^53, dates and decimals become strings. Files are read one by one,
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
    let fileRow = 0;
    for (;;) {
      options.signal?.throwIfAborted();
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      for (const row of chunk.getRows()) {
        const entries = row.map((value, i) => [columns[i]!, toPlain(value)] as const);
        const fields = Object.fromEntries(entries);
        yield { kind: "fields", fileRow: fileRow++, bytes: undefined, fields };
      }
    }
  } catch (error) {
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

function toPlain(value: DuckDBValue): unknown {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    return value.items.map(toPlain);
  }
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([k, v]) => [k, toPlain(v)]));
  }
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(value.entries.map(({ key, value: v }) => [String(key), toPlain(v)]));
  }
  // Bytes stay bytes, so that a shape says "expected text" and does not take an escaped dump for a message.
  if (value instanceof DuckDBBlobValue) return value.bytes;
  return String(value);
}

/** DuckDB throws plain errors; those that come from the file's bytes become ours, all others are bugs and pass through. */
export function describeParquetError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  const [first = ""] = error.message.split("\n");
  return new FormatError(`${path}: cannot be read as Parquet: ${first.slice(0, 300)}`, {
    hint: "Download the file again, or check that it is Parquet.",
    cause: error,
  });
}
