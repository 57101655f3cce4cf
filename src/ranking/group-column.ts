/** @file The column by which pairs are grouped in lift tables and edits: their source, where nothing else is asked for. */
import type { ColumnValue } from "../pairs/preference-pair.ts";
import { ConfigError } from "../util/errors.ts";

/** What an empty cell is called. */
export const NO_GROUP = "(none)";

/**
 * The kept column that groups are about: the one asked for, else `source` where there is one. Throws ConfigError where the one asked for is
 * not among the names.
 */
export function chooseGroupColumn(
  names: readonly string[],
  asked: string | undefined,
): string | undefined {
  if (asked === undefined) return names.includes("source") ? "source" : undefined;
  if (names.includes(asked)) return asked;
  throw new ConfigError(
    `column "${asked}": expected one of the columns kept with the pairs: ${names.length === 0 ? "none" : names.join(", ")}`,
    { hint: "embed --keep NAMES (edit: --keep) keeps more of them." },
  );
}

/** What a group is called whose pairs have this value in a column. */
export function groupName(value: ColumnValue): string {
  return value === null ? NO_GROUP : String(value);
}
