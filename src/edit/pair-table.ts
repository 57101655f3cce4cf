import type { PreferencePair, UnusableRow } from "../pairs/preference-pair.ts";
import { chooseGroupColumn, groupName } from "../ranking/group-column.ts";
import { ConfigError } from "../util/errors.ts";

/** What choosing pairs for an edit needs to know of a data set; N usable pairs in its order, no text. */
export interface PairTable {
  /** [N], each once. */
  readonly ids: readonly string[];
  /** The group of each pair, [N]: its value in the column `by`; one group where there is none. */
  readonly groups: readonly string[];
  /** The kept column that groups are about: `source` by default, undefined where the pairs have none. */
  readonly by?: string | undefined;
  /** Content hash of the data set, where known. */
  readonly contentHash?: string | undefined;
}

/**
 * Collects ids and groups of the pairs, unusable rows left out. Throws ConfigError for a column that the pairs do not carry
 * and where no pair is usable.
 */
export async function readPairTable(
  rows: AsyncIterable<PreferencePair | UnusableRow> | Iterable<PreferencePair | UnusableRow>,
  options: { readonly by?: string | undefined; readonly contentHash?: string | undefined } = {},
): Promise<PairTable> {
  const builder = createPairTableBuilder(options);
  for await (const row of rows) if (row.kind === "pair") builder.add(row);
  return builder.finish();
}

/** A pair table that is filled while something else reads the rows. */
export function createPairTableBuilder(options: {
  readonly by?: string | undefined;
  readonly contentHash?: string | undefined;
}): { add(pair: PreferencePair): void; finish(): PairTable } {
  const ids: string[] = [];
  const groups: string[] = [];
  // One string for each group, not one for each pair.
  const names = new Map<string, string>();
  let by: string | undefined;
  return {
    add(pair) {
      if (ids.length === 0) by = chooseGroupColumn(Object.keys(pair.columns), options.by);
      const group = groupName(by === undefined ? null : (pair.columns[by] ?? null));
      const known = names.get(group) ?? group;
      names.set(known, known);
      ids.push(pair.id);
      groups.push(known);
    },
    finish() {
      if (ids.length === 0) throw new ConfigError("pairs: expected usable pairs, got none");
      return { ids, groups, by, contentHash: options.contentHash };
    },
  };
}
