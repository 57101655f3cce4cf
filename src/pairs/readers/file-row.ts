import type { UnusableReason } from "../preference-pair.ts";

/** A row's values by column, as its file holds them; nothing about them has been checked. */
export type RowFields = Readonly<Record<string, unknown>>;

/** One row of a data file, or the place where one should have been. */
export type FileRow = {
  readonly fileRow: number;
  /** The row as it stands in a text file, without line end or comma; undefined in Parquet and above MAX_ROW_BYTES. */
  readonly bytes: Buffer | undefined;
} & (
  | { readonly kind: "fields"; readonly fields: RowFields }
  | { readonly kind: "broken"; readonly reason: UnusableReason; readonly detail: string }
);

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Streams a file's rows in the file's order, numbered from 0. A row that cannot be read comes out as `broken` and the next
 * one follows; a file that cannot be read at all throws FormatError naming it.
 */
export type RowReader = (path: string, options: ReadOptions) => AsyncIterable<FileRow>;

/**
 * The longest row that is read, in bytes: far above any conversation, far below what V8 takes as one string (512 MiB), so
 * that a file without line ends costs a message and not the memory of the machine.
 */
export const MAX_ROW_BYTES = 64 * 2 ** 20;

/** A field of a row by its own name only: a column called `constructor` or `__proto__` is data like any other. */
export function ownField(fields: RowFields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is RowFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
