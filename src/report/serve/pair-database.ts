/** @file The database behind the table of pairs in serve mode: DuckDB, on disk, one connection, a memory limit. */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import type { DuckDBConnection, DuckDBType, DuckDBValue } from "@duckdb/node-api";

import { isProcessAlive } from "../../util/writer-lock.ts";

/** What DuckDB may hold in memory; the rest is on disk. */
const MEMORY = "48MB";
/** Small groups, so that few rows are looked at for one pair. */
const GROUP_ROWS = 8192;
/** Rows of one DuckDB vector. */
const CHUNK_ROWS = 2048;
/** Of the folders of databases; the number of their process comes next. */
const PREFIX = ".report-";

/** A database of this process; disposing removes it. */
export interface PairDatabase extends AsyncDisposable {
  /** Its own, for files that go with it. */
  readonly folder: string;
  run(sql: string): Promise<void>;
  /** The rows of a query, each a list of its values. */
  rows(sql: string, values?: readonly DuckDBValue[]): Promise<readonly (readonly Cell[])[]>;
  /** Hands on the columns of a query piece by piece; for results that must not be in memory as objects. */
  stream(
    sql: string,
    values: readonly DuckDBValue[],
    take: (columns: readonly (readonly Cell[])[]) => void,
  ): Promise<void>;
  /** Fills a table that is there; `types` are those of its columns. */
  append(table: string, types: readonly ColumnType[]): Promise<Appender>;
}

/** What the tables here hold. */
export type Cell = string | number | bigint | boolean | null;

export type ColumnType = "VARCHAR" | "INTEGER" | "DOUBLE" | "UBIGINT" | "BOOLEAN";

export interface Appender {
  add(row: readonly DuckDBValue[]): void;
  /** Writes what is left. */
  close(): void;
}

/**
 * Makes an empty database in the folder `cache` of the run, or in the temporary folder where that cannot be written. It may read files
 * beneath `run` and its own, and nothing else. What killed processes left there is removed.
 */
export async function openPairDatabase(run: string): Promise<PairDatabase> {
  const folder = await makeFolder(join(run, "cache")).catch(() => makeFolder(tmpdir()));
  // Loading DuckDB takes a third of a second: not before it is needed.
  const duckdb = await import("@duckdb/node-api");
  const instance = await duckdb.DuckDBInstance.create(":memory:", {
    threads: "1",
    memory_limit: MEMORY,
    temp_directory: join(folder, "spilled"),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  await connection.run(
    `ATTACH ${quote(join(folder, "pairs.duckdb"))} AS pairs (ROW_GROUP_SIZE ${GROUP_ROWS})`,
  );
  await connection.run("USE pairs");
  await connection.run(
    `SET allowed_directories = [${[resolve(run), folder].map(quote).join(", ")}]`,
  );
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  return {
    folder,
    run: async (sql) => void (await connection.run(sql)),
    rows: async (sql, values = []) =>
      (await connection.runAndReadAll(sql, [...values])).getRows() as Cell[][],
    stream: (sql, values, take) => streamColumns(connection, sql, values, take),
    append: async (table, types) => {
      const appender = await connection.createAppender(table);
      const kinds = types.map((type): DuckDBType => duckdb[type]);
      let waiting: (readonly DuckDBValue[])[] = [];
      const write = (): void => {
        if (waiting.length === 0) return;
        const chunk = duckdb.DuckDBDataChunk.create(kinds, waiting.length);
        chunk.setColumns(kinds.map((_, i) => waiting.map((row) => row[i]!)));
        appender.appendDataChunk(chunk);
        // What is not flushed is in memory.
        appender.flushSync();
        waiting = [];
      };
      return {
        add: (row) => {
          waiting.push(row);
          if (waiting.length === CHUNK_ROWS) write();
        },
        close: () => {
          write();
          appender.closeSync();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function streamColumns(
  connection: DuckDBConnection,
  sql: string,
  values: readonly DuckDBValue[],
  take: (columns: readonly (readonly Cell[])[]) => void,
): Promise<void> {
  const result = await connection.stream(sql, [...values]);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    take(chunk.getColumns() as Cell[][]);
  }
}

async function makeFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const pid = Number(new RegExp(`^\\${PREFIX}(\\d+)-`).exec(name)?.[1] ?? process.pid);
    if (pid !== process.pid && !isProcessAlive(pid)) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
  return mkdtemp(join(resolve(parent), `${PREFIX}${process.pid}-`));
}

/** A text as a literal of SQL. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
