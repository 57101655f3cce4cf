/** @file JSON lines and JSON arrays with some rows left out, swapped or given an id; all other bytes of a row stay. */
import type { FileRow, ReadOptions } from "../readers/file-row.ts";
import { readJsonArray } from "../readers/json-array.ts";
import { readJsonLines } from "../readers/json-lines.ts";
import type { SideColumns } from "../shapes/side-columns.ts";
import { scanMembers } from "./json-members.ts";
import { type FileEdit, requireBytes } from "./row-edit.ts";

/** One row a line. */
export async function* writeJsonLines(
  path: string,
  edit: FileEdit,
  options: ReadOptions,
): AsyncGenerator<Buffer | string> {
  for await (const row of editedRows(path, readJsonLines(path, options), edit)) {
    yield row;
    yield "\n";
  }
}

/** One element a line. */
export async function* writeJsonArray(
  path: string,
  edit: FileEdit,
  options: ReadOptions,
): AsyncGenerator<Buffer | string> {
  let separator = "[\n";
  for await (const row of editedRows(path, readJsonArray(path, options), edit)) {
    yield separator;
    yield row;
    separator = ",\n";
  }
  yield separator === "[\n" ? "[]\n" : "\n]\n";
}

async function* editedRows(
  path: string,
  rows: AsyncIterable<FileRow>,
  { editOf, idColumn, sides }: FileEdit,
): AsyncGenerator<Buffer | string> {
  for await (const row of rows) {
    const edit = editOf(row.fileRow);
    if (edit.kind === "drop") continue;
    const bytes = requireBytes(path, row);
    if (edit.id === undefined && !edit.isSwapped) {
      yield trimSpace(bytes);
      continue;
    }
    let text = trimSpace(bytes).toString("utf8");
    if (edit.isSwapped) text = swapMembers(text, sides);
    if (edit.id !== undefined && idColumn !== undefined) text = setMember(text, idColumn, edit.id);
    yield text;
  }
}

/** The object's text with the values of the side columns exchanged; a value whose twin is not there goes to the twin's name. */
export function swapMembers(text: string, sides: readonly SideColumns[]): string {
  const members = scanMembers(text);
  const cuts: { start: number; end: number; text: string }[] = [];
  for (const { chosen, rejected } of sides) {
    for (const [name, twin] of [
      [chosen, rejected],
      [rejected, chosen],
    ] as const) {
      const [member, other] = [members.get(name), members.get(twin)];
      if (member === undefined) continue;
      cuts.push(
        other === undefined
          ? { start: member.keyStart, end: member.keyEnd, text: JSON.stringify(twin) }
          : {
              start: member.valueStart,
              end: member.valueEnd,
              text: text.slice(other.valueStart, other.valueEnd),
            },
      );
    }
  }
  return replaceCuts(text, cuts);
}

/** The object's text with one member set; a new one comes first. */
export function setMember(text: string, name: string, value: string): string {
  const members = scanMembers(text);
  const member = members.get(name);
  if (member !== undefined) {
    const { valueStart: start, valueEnd: end } = member;
    return replaceCuts(text, [{ start, end, text: JSON.stringify(value) }]);
  }
  const open = text.indexOf("{") + 1;
  const separator = members.size === 0 ? "" : ", ";
  return `${text.slice(0, open)}${JSON.stringify(name)}: ${JSON.stringify(value)}${separator}${text.slice(open)}`;
}

function replaceCuts(
  text: string,
  cuts: readonly { readonly start: number; readonly end: number; readonly text: string }[],
): string {
  let result = "";
  let at = 0;
  for (const cut of cuts.toSorted((a, b) => a.start - b.start)) {
    result += text.slice(at, cut.start) + cut.text;
    at = cut.end;
  }
  return result + text.slice(at);
}

function trimSpace(bytes: Buffer): Buffer {
  const isSpace = (byte: number | undefined): boolean =>
    byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
  let [start, end] = [0, bytes.length];
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}
