import { openPairs, type PairSet } from "../pairs/open-pairs.ts";
import { ownField } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { ConfigError, FormatError } from "../util/errors.ts";

/**
 * Ids of the planted pairs: every id of the file, or where a `column` is named, the ids of the pairs of a pair file whose value there
 * is true (or 1). Throws FormatError or ConfigError where there are none.
 */
export async function readPlanted(path: string, column?: string): Promise<ReadonlySet<string>> {
  const ids =
    column === undefined
      ? await listedIds(path)
      : await plantedIds(await openPairs([path], { keepColumns: [column] }), column);
  if (ids.length > 0) return new Set(ids);
  throw new ConfigError(`${path}: expected planted pairs, got none`);
}

async function listedIds(path: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const row of readRows(path)) {
    const id = row.kind === "fields" ? ownField(row.fields, "id") : "";
    if (!["string", "number", "bigint"].includes(typeof id) || id === "") {
      throw new FormatError(`${path}, row ${row.fileRow}: expected {"id"} of a planted pair`, {
        hint: "Of a pair file, name the column that says which pairs are planted: --planted-column.",
      });
    }
    ids.push(String(id));
  }
  return ids;
}

/** Ids of the pairs whose kept `column` is true, or 1. */
export async function plantedIds(
  pairs: Pick<PairSet, "read">,
  column: string,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const row of pairs.read()) {
    if (row.kind !== "pair") continue;
    const value = row.columns[column];
    if (value === true || value === 1 || value === "true" || value === "True") ids.push(row.id);
  }
  return ids;
}

/**
 * Which pairs of a ranking are planted, [N], and how many planted ids it lacks (rows without a vector, or pairs left out). Throws
 * ConfigError where it has none of them.
 */
export function markPlanted(
  ids: readonly string[],
  planted: ReadonlySet<string>,
): { readonly isPlanted: readonly boolean[]; readonly absent: number } {
  const isPlanted = ids.map((id) => planted.has(id));
  const found = isPlanted.filter(Boolean).length;
  if (found > 0) return { isPlanted, absent: planted.size - found };
  throw new ConfigError(`planted pairs: expected ids of the ranking, got none of ${planted.size}`, {
    hint: "Ranking and planted ids must come from the same pairs.",
  });
}
