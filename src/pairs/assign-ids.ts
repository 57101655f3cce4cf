import { hashValue } from "../util/hash.ts";
import { ownField, type RowFields } from "./readers/file-row.ts";

/** Columns that may hold a row's own id, first one wins. `prompt_id` is not among them: many rows share one. */
export const ID_COLUMNS = ["id", "pair_id", "uuid"] as const;

/** Raised when the rules below change what ids come out; part of every data set's content hash. */
export const ID_RULES_VERSION = 3;

/** Longer ones are no ids but text that happens to be called so. */
const MAX_ID_LENGTH = 200;

/**
 * Makes a function that gives rows their ids, in order: the row's own id, or `h-` and 16 hex digits of the SHA-256 of its
 * content as canonical JSON (64 bits: two of 400,000 different rows meet with a chance of 4 in 10^9). The n-th row of an id
 * gets `id#n`, so every id is given once; the same rows in the same order get the same ids however they are spread over
 * files. Memory: the ids given so far.
 */
export function createIdAssigner(): (fields: RowFields, content: unknown) => string {
  const seen = new Map<string, number>();
  return (fields, content) => {
    const base = ownId(fields) ?? `h-${hashValue(content).slice(0, 16)}`;
    let count = (seen.get(base) ?? 0) + 1;
    let id = count === 1 ? base : `${base}#${count}`;
    // A file may hold ids that end in "#2" themselves.
    while (count > 1 && seen.has(id)) id = `${base}#${++count}`;
    seen.set(base, count);
    if (id !== base) seen.set(id, 1);
    return id;
  };
}

/** The id that a row brings along, if any. */
export function ownId(fields: RowFields): string | undefined {
  for (const column of ID_COLUMNS) {
    const value = ownField(fields, column);
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
    if (typeof value === "string" && value !== "" && value.length <= MAX_ID_LENGTH) {
      return asNumberReads(value);
    }
  }
  return undefined;
}

/** How programs write a float of a column of numbers into CSV, where JSON and Parquet have the number itself: 1.0 of 1, 1e+16. */
const FLOAT_TEXT = /^-?(?:(?:0|[1-9]\d*)\.0|[1-9](?:\.\d+)?e[+-]\d{2,3})$/;

/** A row has one id in every format: a text that is a float's is taken as the number. */
function asNumberReads(text: string): string {
  if (!FLOAT_TEXT.test(text)) return text;
  const number = Number(text);
  if (!text.endsWith(".0")) return Number.isFinite(number) ? String(number) : text;
  // Digits that a number does not hold stay as they are.
  return Number.isSafeInteger(number) ? String(number) : text.slice(0, -2);
}
