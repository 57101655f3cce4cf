import { FormatError } from "../../util/errors.ts";
import { expectKeysOnce } from "../../util/json-scan.ts";
import { isObject, type RowFields } from "./file-row.ts";
import { noJson } from "./parse-json-row.ts";
import { readRows } from "./read-rows.ts";
import { parseYaml, readText } from "./yaml-document.ts";

/** A row of a file that people write by hand; rows count from 0. */
export interface ListedRow {
  readonly row: number;
  readonly fields: RowFields;
}

/** The whole value of a YAML file or of a JSON document; undefined for a file of rows, which `listedRows` reads. */
export async function readDocument(path: string): Promise<unknown> {
  if (/\.ya?ml$/i.test(path)) return parseYaml(path, await readText(path));
  if (!/\.json$/i.test(path)) return undefined;
  const text = await readText(path);
  try {
    const value: unknown = JSON.parse(text);
    expectKeysOnce(path, text, value);
    return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FormatError(`${path}: expected JSON, got ${noJson(text)}`, {
      hint: "A file with one JSON object a line ends in .jsonl.",
      cause: error,
    });
  }
}

/** Every row of a file of rows, all in memory. Throws FormatError naming file and row where one is broken. */
export async function listedRows(path: string): Promise<readonly ListedRow[]> {
  const rows: ListedRow[] = [];
  for await (const row of readRows(path)) {
    if (row.kind === "broken") {
      throw new FormatError(`${path}, row ${row.fileRow}: ${row.detail}`);
    }
    rows.push({ row: row.fileRow, fields: row.fields });
  }
  return rows;
}

/** The members of a list as rows; `what` is in the FormatError for one that is no object, "a scenario". */
export function rowsOfList(
  path: string,
  values: readonly unknown[],
  what: string,
): readonly ListedRow[] {
  return values.map((fields, row) => {
    if (isObject(fields)) return { row, fields };
    throw new FormatError(`${path}, row ${row}: expected ${what}, got something else`);
  });
}
