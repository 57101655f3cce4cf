import { isUtf8 } from "node:buffer";

import { parseJson } from "../../format/json-value.ts";
import { findTwiceKey, quoteKey } from "../../util/json-scan.ts";
import { type FileRow, isObject, MAX_ROW_BYTES } from "./file-row.ts";
import { plainColumns } from "./plain-columns.ts";

/**
 * One JSON object as a row. `bytes` undefined stands for a row above MAX_ROW_BYTES; `place` says where it was, `line 3`.
 * The text itself stays out of the messages: it is data, possibly harmful, and possibly long.
 */
export function parseJsonRow(bytes: Buffer | undefined, fileRow: number, place: string): FileRow {
  const broken = (detail: string): FileRow => ({
    kind: "broken",
    fileRow,
    bytes,
    reason: "broken-json",
    detail: `${place}: ${detail}`,
  });
  if (bytes === undefined) {
    return broken(`expected at most ${MAX_ROW_BYTES / 2 ** 20} MiB in one row, got more`);
  }
  if (!isUtf8(bytes)) return broken("expected UTF-8 text, got other bytes");
  const text = bytes.toString("utf8");
  let fields: unknown;
  try {
    fields = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const got = noJson(text, `${bytes.length} bytes that are not JSON`);
    return broken(`expected a JSON object, got ${got}`);
  }
  const twice = findTwiceKey(text, fields);
  if (twice !== undefined) {
    return broken(`expected each key of an object once, got ${quoteKey(twice.key)} twice`);
  }
  if (isObject(fields)) return { kind: "fields", fileRow, bytes, fields: plainColumns(fields) };
  const kind = Array.isArray(fields) ? "a list" : fields === null ? "null" : `a ${typeof fields}`;
  return {
    kind: "broken",
    fileRow,
    bytes,
    reason: "wrong-type",
    detail: `${place}: expected a JSON object, got ${kind}`,
  };
}

/** What a text is that JSON.parse refused; the text itself stays out of it. */
export function noJson(text: string, otherwise = "text that is not"): string {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const [number] = /-?\b(?:NaN|Infinity)\b/.exec(bare) ?? [];
  return number === undefined ? otherwise : `${number}, a number that JSON does not know`;
}

/** Whether bytes are white space as JSON knows it. */
export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}
