/** @file The notes (key-value metadata) of a Parquet file, from the file that is edited to the edited one. */
import { resolve } from "node:path";

import type { DuckDBConnection } from "@duckdb/node-api";

import { isObject, ownField } from "../readers/file-row.ts";

type Notes = ReadonlyMap<string, string>;

/** Where `datasets` keeps the types of the columns. */
const DATASETS_NOTE = "huggingface";

export async function readNotes(connection: DuckDBConnection, path: string): Promise<Notes> {
  const result = await connection.runAndReadAll(
    "SELECT decode(key), decode(value) FROM parquet_kv_metadata($1)",
    [resolve(path)],
  );
  return new Map(result.getRows().map(([key, value]) => [String(key), String(value)]));
}

/**
 * The notes that hold of the output. Where a column's type changed only the note of `datasets` stays, with that column's type: others
 * describe the old columns.
 */
export function keptNotes(notes: Notes, changed: readonly string[]): Notes {
  if (changed.length === 0) return notes;
  const [column, ...others] = changed;
  const features = notes.get(DATASETS_NOTE);
  // Numbers of two types that changed places: what they are now is in the file itself.
  if (features === undefined || others.length > 0) return new Map();
  const changedNote = withTextColumn(features, column!);
  return changedNote === undefined ? new Map() : new Map([[DATASETS_NOTE, changedNote]]);
}

/** The note of `datasets` with one column as text, first where it is new; undefined where it is not as expected. */
function withTextColumn(note: string, column: string): string | undefined {
  const value: unknown = JSON.parse(note);
  const info = isObject(value) ? ownField(value, "info") : undefined;
  const features = isObject(info) ? ownField(info, "features") : undefined;
  if (!isObject(value) || !isObject(info) || !isObject(features)) return undefined;
  const text = { dtype: "string", _type: "Value" };
  const changed = Object.hasOwn(features, column)
    ? { ...features, [column]: text }
    : { [column]: text, ...features };
  return JSON.stringify({ ...value, info: { ...info, features: changed } });
}

/** As an option of DuckDB's COPY. */
export function notesOption(notes: Notes): string {
  if (notes.size === 0) return "";
  const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const members = [...notes].map(([key, value]) => `${quote(key)}: ${quote(value)}`);
  return `, KV_METADATA {${members.join(", ")}}`;
}
