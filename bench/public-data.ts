/** @file The public data sets of the real run as their files have them: bench/make-format-mix.ts, bench/format-data.ts. */
import { readRows } from "../src/pairs/readers/read-rows.ts";

export interface Turn {
  readonly role: string;
  readonly content: string;
}

/** A row of hh-rlhf. */
export interface Pair {
  readonly id: string;
  readonly prompt: readonly Turn[];
  readonly chosen: readonly Turn[];
  readonly rejected: readonly Turn[];
}

/** A row of LLaMA-Factory's demo. */
export interface Benign {
  readonly conversations: readonly { readonly from: string; readonly value: string }[];
  readonly chosen: { readonly value: string };
  readonly rejected: { readonly value: string };
}

/** A row of XSTest's prompts. */
export interface XstestRow {
  readonly id: string;
  readonly prompt: string;
  readonly label: string;
}

/** All rows of a file; `T` is what the caller knows of them. */
export async function readAll<T>(path: string): Promise<T[]> {
  const rows: T[] = [];
  for await (const row of readRows(path)) {
    if (row.kind !== "fields") throw new Error(`${path}: a row cannot be read`);
    rows.push(row.fields as T);
  }
  return rows;
}
