import type { PairSet } from "../pairs/open-pairs.ts";
import type { ColumnValue } from "../pairs/preference-pair.ts";
import { countCharacters, responseText } from "../pairs/text-measures.ts";
import { createReasonCounter } from "../pairs/unusable-file.ts";
import type { StoreTable } from "../store/read-shard.ts";
import { listCounts } from "../util/commonest-first.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";

const describeCounts = (byReason: Readonly<Record<string, number>>): string =>
  Object.keys(byReason).length === 0 ? "" : ` (${listCounts(byReason)})`;

/** What is known of pairs beside their text; N rows. */
export interface PairRows {
  /** [N], each once. */
  readonly ids: readonly string[];
  /** Row numbers in the pair files, [N]. */
  readonly rows: Int32Array;
  /** Of prompt, chosen and rejected, [N, 3]: in tokens as they were embedded, else in characters. */
  readonly lengths: Int32Array;
  /** Kept columns, [N] each. */
  readonly columns: Readonly<Record<string, readonly ColumnValue[]>>;
  /** Rows of the files that are no usable pairs, by reason; of a store its own listing has them. */
  readonly unusable?: Readonly<Record<string, number>> | undefined;
}

/** The pairs of a vector store. */
export function storeRows({ ids, rows, tokens, columns }: StoreTable): PairRows {
  return { ids, rows, lengths: tokens, columns };
}

/** The usable pairs of pair files, their lengths in characters. Throws ConfigError where there are none. */
export async function readPairRows(
  pairs: Pick<PairSet, "read" | "columns">,
  { signal, progress }: JobOptions = {},
): Promise<PairRows> {
  const ids: string[] = [];
  const rows: number[] = [];
  const lengths: number[] = [];
  const unusable = createReasonCounter();
  const columns = Object.fromEntries(pairs.columns.map((name) => [name, [] as ColumnValue[]]));
  for await (const pair of pairs.read({ signal })) {
    progress?.update(pair.row + 1, undefined);
    if (pair.kind !== "pair") {
      unusable.add(pair);
      continue;
    }
    ids.push(pair.id);
    rows.push(pair.row);
    for (const turns of [pair.prompt, pair.chosen, pair.rejected]) {
      lengths.push(countCharacters(responseText(turns)));
    }
    for (const [name, values] of Object.entries(columns)) values.push(pair.columns[name] ?? null);
  }
  const { byReason } = unusable.summary();
  if (ids.length === 0) {
    throw new ConfigError(`pairs: expected usable pairs, got none${describeCounts(byReason)}`);
  }
  return {
    ids,
    rows: Int32Array.from(rows),
    lengths: Int32Array.from(lengths),
    columns,
    unusable: byReason,
  };
}
