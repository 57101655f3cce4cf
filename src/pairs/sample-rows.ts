import { ConfigError } from "../util/errors.ts";
import type { ReadOptions, RowFields } from "./readers/file-row.ts";
import { readRows } from "./readers/read-rows.ts";

/** Rows looked at before reading starts, over all files: enough to see past a few odd ones. */
const SAMPLE_ROWS = 256;
/** With more files than this, as many are sampled, evenly spread. */
const MAX_SAMPLED_FILES = 32;

/** The first rows of a data set. */
export interface RowSample {
  readonly rows: readonly RowFields[];
  /** The same by file, in the order of the files. */
  readonly files: readonly { readonly path: string; readonly rows: readonly RowFields[] }[];
  /** Every column they have, in the order of first sight. */
  readonly columns: readonly string[];
}

/** Reads the first rows of the files, the same number of each. Throws ConfigError where there is no readable row. */
export async function sampleRows(
  paths: readonly string[],
  options: ReadOptions,
): Promise<RowSample> {
  const step = Math.max(1, paths.length / MAX_SAMPLED_FILES);
  const sampled = paths.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  const perFile = Math.ceil(SAMPLE_ROWS / sampled.length);
  const files: { path: string; rows: RowFields[] }[] = [];
  let broken: string | undefined;
  for (const path of sampled) {
    const rows: RowFields[] = [];
    files.push({ path, rows });
    let count = 0;
    for await (const row of readRows(path, options)) {
      if (row.kind === "fields") rows.push(row.fields);
      else broken ??= `${path}, row ${row.fileRow}: ${row.detail}`;
      if (++count >= perFile) break;
    }
  }
  const rows = files.flatMap((file) => file.rows);
  if (rows.length === 0) {
    throw new ConfigError(
      `${paths[0]}${paths.length > 1 ? ` and ${paths.length - 1} more` : ""}: expected rows, got ${broken === undefined ? "none" : "none that can be read"}`,
      broken === undefined ? {} : { hint: `The first of them: ${broken}.` },
    );
  }
  return { rows, files, columns: [...new Set(rows.flatMap((fields) => Object.keys(fields)))] };
}
