import { createManifest, openStoreForWriting, type VectorStoreManifest } from "../../src/index.ts";
import type { ColumnValue } from "../../src/index.ts";
import type { ShardRows } from "../../src/store/encode-shard.ts";

/** The checkpoint of the small stores of tests. */
export const SMALL_CHECKPOINT = {
  name: "small",
  checkpointHash: "checkpoint-a",
  tokenizerHash: "tokenizer-a",
  templateHash: "template-a",
  family: "llama",
  layerCount: 4,
} as const;

/** A manifest for tests: layers 1 and 3, 4 dimensions, half precision, 3 rows a shard, one column `source`. */
export function smallManifest(changes: Partial<VectorStoreManifest> = {}): VectorStoreManifest {
  return createManifest({
    checkpoint: changes.checkpoint ?? SMALL_CHECKPOINT,
    template: changes.template ?? "chat",
    layers: changes.layers ?? [1, 3],
    dim: changes.dim ?? 4,
    dtype: changes.dtype ?? "F16",
    maxTokens: changes.maxTokens ?? 100,
    shardRows: changes.shardRows ?? 3,
    pairs: changes.pairs ?? {
      contentHash: "pairs-a",
      files: ["pairs.jsonl"],
      shape: "trl-standard",
      columns: ["source"],
    },
  });
}

/** Rows `first` to `first + count - 1` of a data set whose vectors are given by a formula. */
export function shardRows(
  manifest: VectorStoreManifest,
  first: number,
  count: number,
  value: (layer: number, row: number, index: number) => number,
): ShardRows {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  const columns: Record<string, ColumnValue[]> = Object.fromEntries(
    manifest.pairs.columns.map((name) => [name, numbers.map((row) => `${name}-${row % 2}`)]),
  );
  return {
    ids: numbers.map((row) => `pair-${row}`),
    rows: numbers.map((row) => row * 2),
    columns,
    tokens: Int32Array.from(numbers.flatMap((row) => [5, row + 1, 10])),
    layers: new Map(
      manifest.layers.map((layer) => [
        layer,
        Float32Array.from({ length: count * manifest.dim }, (_, i) =>
          value(layer, first + Math.floor(i / manifest.dim), i % manifest.dim),
        ),
      ]),
    ),
  };
}

/** Writes a whole store of `rows` rows. */
export async function writeSmallStore(
  directory: string,
  manifest: VectorStoreManifest,
  rows: number,
  value: (layer: number, row: number, index: number) => number,
): Promise<void> {
  await using writer = await openStoreForWriting(directory, manifest);
  for (let shard = 0; shard * manifest.shardRows < rows; shard++) {
    const first = shard * manifest.shardRows;
    const count = Math.min(manifest.shardRows, rows - first);
    await writer.writeShard(shard, shardRows(manifest, first, count, value));
  }
  await writer.complete({ "empty-side": 2 });
}
