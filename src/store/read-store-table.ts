import type { ColumnValue } from "../pairs/preference-pair.ts";
import type { VectorStore } from "./open-store.ts";
import { readShardTable } from "./read-shard.ts";
import { damaged } from "./shard-layout.ts";

/** All of a store but its vectors; N rows in the order of the store. */
export interface StoreTable {
  /** [N], each once. */
  readonly ids: readonly string[];
  /** Row numbers in the pair files, [N]. */
  readonly rows: Int32Array;
  /** Tokens of prompt, chosen and rejected, [N, 3]. */
  readonly tokens: Int32Array;
  /** Kept columns, [N] each, in the order of the manifest. */
  readonly columns: Readonly<Record<string, readonly ColumnValue[]>>;
}

/** Reads ids, row numbers, token counts and kept columns of all rows. Throws FormatError for an id that occurs twice. */
export async function readStoreTable(store: VectorStore): Promise<StoreTable> {
  const { manifest, rows: count } = store;
  const ids: string[] = [];
  const rows = new Int32Array(count);
  const tokens = new Int32Array(count * 3);
  const columns: Record<string, ColumnValue[]> = Object.fromEntries(
    manifest.pairs.columns.map((name) => [name, []]),
  );
  const seen = new Set<string>();
  for (const shard of store.shards) {
    const table = await readShardTable(shard, manifest);
    rows.set(table.rows, ids.length);
    tokens.set(table.tokens, ids.length * 3);
    for (const name of manifest.pairs.columns) {
      const column = columns[name]!;
      for (const value of table.columns[name] ?? []) column.push(value);
    }
    for (const id of table.ids) {
      if (seen.has(id)) throw damaged(shard.path, `the id "${id}" occurs twice in the store`);
      seen.add(id);
      ids.push(id);
    }
  }
  return { ids, rows, tokens, columns };
}
