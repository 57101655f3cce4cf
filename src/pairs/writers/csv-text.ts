import { type CsvHeader, readCsvHeader, splitRawCells } from "../readers/csv-records.ts";
import { readCsv } from "../readers/csv.ts";
import type { ReadOptions } from "../readers/file-row.ts";
import { type FileEdit, requireBytes, type RowEdit } from "./row-edit.ts";

/**
 * A CSV file with some rows left out, swapped or given an id: same delimiter, cells as they were written. A new id column comes
 * first; rows without an id of their own, broken ones included, have an empty cell there.
 */
export async function* writeCsv(
  path: string,
  edit: FileEdit,
  options: ReadOptions,
): AsyncGenerator<Buffer | string> {
  const header = await readCsvHeader(path, options);
  const { idColumn } = edit;
  const isNewColumn = idColumn !== undefined && !header.columns.includes(idColumn);
  yield isNewColumn ? `${idColumn}${header.delimiter}${header.text}\n` : `${header.text}\n`;
  for await (const row of readCsv(path, options)) {
    const rowEdit = edit.editOf(row.fileRow);
    if (rowEdit.kind === "drop") continue;
    const bytes = requireBytes(path, row);
    if (isNewColumn) yield `${toCell(rowEdit.id ?? "", header.delimiter)}${header.delimiter}`;
    const isChanged = rowEdit.isSwapped || (rowEdit.id !== undefined && !isNewColumn);
    yield isChanged ? editRecord(bytes.toString("utf8"), header, edit, rowEdit) : bytes;
    yield "\n";
  }
}

function editRecord(
  record: string,
  { columns, delimiter }: CsvHeader,
  { idColumn, sides }: FileEdit,
  edit: RowEdit & { readonly kind: "keep" },
): string {
  const cells = splitRawCells(record, delimiter);
  if (cells === undefined) throw new Error("internal: a CSV row to edit whose quotes do not fit");
  for (const { chosen, rejected } of edit.isSwapped ? sides : []) {
    const [a, b] = [columns.indexOf(chosen), columns.indexOf(rejected)];
    // Side columns are those of all files; this one may lack them.
    if (a !== -1 && b !== -1) [cells[a], cells[b]] = [cells[b]!, cells[a]!];
  }
  const id = idColumn === undefined ? -1 : columns.indexOf(idColumn);
  if (edit.id !== undefined && id !== -1) cells[id] = toCell(edit.id, delimiter);
  return cells.join(delimiter);
}

function toCell(value: string, delimiter: string): string {
  const isPlain = !/["\r\n]/.test(value) && !value.includes(delimiter);
  return isPlain ? value : `"${value.replaceAll('"', '""')}"`;
}
