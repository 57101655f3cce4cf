import { z } from "zod";

import { openSafetensors } from "../format/safetensors.ts";
import type { ColumnValue } from "../pairs/preference-pair.ts";
import { FormatError } from "../util/errors.ts";
import type { VectorStore } from "./open-store.ts";
import {
  checkShardTensors,
  damaged,
  ROW_TENSOR,
  type TensorHeader,
  TOKENS_TENSOR,
} from "./shard-layout.ts";
import type { VectorStoreManifest } from "./vector-store-manifest.ts";

/** A shard that has been checked: where its tensors lie and how many rows it has. */
export interface Shard {
  readonly path: string;
  readonly rows: number;
  readonly tensors: ReadonlyMap<string, TensorHeader>;
}

/** All of a store, or of a shard, but its vectors; N rows in their order. */
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

const idsSchema = z.array(z.string());
const columnsSchema = z.record(
  z.string(),
  z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])),
);

/** Reads and checks the header of a shard. Throws FormatError where it is not whole. */
export async function checkShard(path: string, manifest: VectorStoreManifest): Promise<Shard> {
  await using file = await openShard(path);
  const { tensors } = file;
  return { path, rows: checkShardTensors(path, tensors, manifest), tensors };
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
  for await (const { shard, table } of streamShardTables(store)) {
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

/** The same shard by shard, for what must not hold all of it. */
export async function* streamShardTables({
  manifest,
  shards,
}: VectorStore): AsyncGenerator<{ readonly shard: Shard; readonly table: StoreTable }> {
  for (const shard of shards) yield { shard, table: await readShardTable(shard, manifest) };
}

/** Throws FormatError where lists and rows do not fit. */
async function readShardTable(
  { path, rows }: Shard,
  manifest: VectorStoreManifest,
): Promise<StoreTable> {
  await using file = await openShard(path);
  const ids = parseList(path, "ids", file.metadata["ids"], idsSchema);
  requireCount(path, "ids", ids.length, rows);
  const parsed = parseList(path, "columns", file.metadata["columns"], columnsSchema);
  const columns: Record<string, readonly ColumnValue[]> = {};
  for (const name of manifest.pairs.columns) {
    const values = parsed[name];
    requireCount(path, `column "${name}"`, values?.length ?? 0, rows);
    columns[name] = values ?? [];
  }
  return {
    ids,
    rows: int32View(await file.readBytes(ROW_TENSOR)),
    tokens: int32View(await file.readBytes(TOKENS_TENSOR)),
    columns,
  };
}

async function openShard(path: string): ReturnType<typeof openSafetensors> {
  try {
    return await openSafetensors(path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw damaged(path, `not a whole shard: ${error.message}`, error);
  }
}

function parseList<T>(
  path: string,
  key: string,
  text: string | undefined,
  schema: z.ZodType<T>,
): T {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch (error) {
    throw damaged(path, `metadata "${key}": expected JSON`, error);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damaged(path, `metadata "${key}": expected a list of values`);
  return parsed.data;
}

function requireCount(path: string, what: string, got: number, rows: number): void {
  if (got !== rows) throw damaged(path, `${what}: expected ${rows} values, got ${got}`);
}

function int32View(bytes: Uint8Array): Int32Array {
  // A copy where the bytes do not start at a multiple of four.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
