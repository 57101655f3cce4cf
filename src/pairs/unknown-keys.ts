import { nearest } from "../util/nearest.ts";
import type { ListedRow } from "./readers/listed-rows.ts";

const KEYS = ["id", "title", "base", "distractor", "tags", "variants"] as const;

/** A key that no scenario has. */
export interface UnknownKey {
  readonly key: string;
  /** The first row that has it, from 0. */
  readonly row: number;
  /** Rows that have it. */
  readonly rows: number;
  /** The key that may be meant: one that lacks little to it, and that none of these rows has. */
  readonly near: string | undefined;
}

/** The keys of scenario rows that mean nothing, in the order in which they first appear. */
export function findUnknownKeys(rows: readonly ListedRow[]): readonly UnknownKey[] {
  const having = new Map<string, ListedRow[]>();
  for (const row of rows) {
    for (const key of Object.keys(row.fields)) {
      if ((KEYS as readonly string[]).includes(key)) continue;
      having.set(key, [...(having.get(key) ?? []), row]);
    }
  }
  return [...having].map(([key, found]) => {
    const free = KEYS.filter((name) => found.every(({ fields }) => !Object.hasOwn(fields, name)));
    const near = nearest(key.toLowerCase(), free);
    return { key, row: found[0]!.row, rows: found.length, near };
  });
}
