import { rename } from "node:fs/promises";
import { resolve } from "node:path";

import { openParquetConnection } from "../pairs/readers/parquet.ts";

const COLUMNS = `{id: 'VARCHAR', scenario: 'VARCHAR', variant: 'VARCHAR', sample: 'INTEGER',
  prompt: 'STRUCT(role VARCHAR, content VARCHAR)[]', response: 'VARCHAR', "opensThinking": 'BOOLEAN', finish: 'VARCHAR', tokens: 'INTEGER', "group": 'VARCHAR', tags: 'VARCHAR[]'}`;
/** The longest line, in bytes: far above any conversation. */
const MAX_LINE_BYTES = 2 ** 26;

/** Writes rollouts, JSON lines, as Parquet: whole or not at all, rows in their order. */
export async function writeRolloutParquet(linesPath: string, path: string): Promise<void> {
  const unnamed = `${path}.partial.parquet`;
  const quote = (each: string): string => `'${resolve(each).replaceAll("'", "''")}'`;
  const { connection, close } = await openParquetConnection([linesPath, unnamed]);
  try {
    await connection.run(
      `COPY (SELECT * FROM read_json(${quote(linesPath)}, format = 'newline_delimited', columns = ${COLUMNS}, maximum_object_size = ${MAX_LINE_BYTES}))
       TO ${quote(unnamed)} (FORMAT parquet, COMPRESSION zstd)`,
    );
  } finally {
    close();
  }
  await rename(unnamed, path);
}
