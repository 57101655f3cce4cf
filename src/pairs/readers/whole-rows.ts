/** @file Rows of files in which every row counts: one that cannot be read ends it, by an error that names file and row. */
import { FormatError } from "../../util/errors.ts";
import { otherKind, type RowKind } from "../row-kind.ts";
import { RowProblem } from "../shapes/shape.ts";
import type { ReadOptions, RowFields } from "./file-row.ts";
import { readRows } from "./read-rows.ts";

/** Makes the error of a row, naming it. */
export type Fail = (detail: string) => FormatError;

export interface WholeRow {
  readonly fields: RowFields;
  /** From 0. */
  readonly fileRow: number;
  readonly fail: Fail;
}

export interface WholeRowsOptions extends ReadOptions {
  /** Of errors. */
  readonly hint: string;
  /** What the rows should be: errors say where they look like others. */
  readonly kind?: RowKind | undefined;
}

/** Streams the rows of a file. Throws FormatError for a broken one. */
export async function* readWholeRows(
  path: string,
  { hint, kind, signal }: WholeRowsOptions,
): AsyncGenerator<WholeRow, void, undefined> {
  for await (const row of readRows(path, { signal })) {
    const { fileRow } = row;
    const other = (): string =>
      row.kind === "broken" || kind === undefined ? "" : otherKind(row.fields, kind);
    const fail: Fail = (detail) =>
      new FormatError(`${path}, row ${fileRow}: ${detail}${other()}`, { hint });
    if (row.kind === "broken") throw fail(row.detail);
    yield { fields: row.fields, fileRow, fail };
  }
}

/** What `read` gives; a RowProblem that it throws becomes the error of the row. */
export function inRow<T>(fail: Fail, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RowProblem) throw fail(error.message);
    throw error;
  }
}
