import { open } from "node:fs/promises";

import { readFully } from "../format/safetensors.ts";
import { float16ToFloat32 } from "../util/float16.ts";
import type { VectorStore } from "./open-store.ts";
import type { Shard } from "./read-shard.ts";
import { bytesPerElement, layerTensor, normTensor } from "./shard-layout.ts";
import { requireLayer } from "./stream-blocks.ts";

/** A pair's vector at a layer. */
export interface StoredVector {
  /** [D], as it was rounded to the store's dtype. */
  readonly values: Float32Array;
  /** ‖v_d‖ before that, by which scores are normalised. */
  readonly norm: number;
}

/** Reads one pair's vector by its row in the store. Throws ConfigError for a layer that the store does not have. */
export async function readStoreVector(
  store: VectorStore,
  layer: number,
  row: number,
): Promise<StoredVector> {
  const { shardRows } = store.manifest;
  const shard = store.shards[Math.floor(row / shardRows)]; // all but the last are full
  if (shard === undefined || row < 0) throw new Error(`internal: the store has no row ${row}`);
  const rows = { first: row % shardRows, count: 1 };
  const { values, norms } = await readShardVectors(store, layer, shard, rows);
  return { values, norm: norms[0]! };
}

/** Vectors of R rows of a shard. */
export interface ShardVectors {
  /** [R, D]. */
  readonly values: Float32Array;
  /** [R]. */
  readonly norms: Float32Array;
}

/** Reads vectors of a shard, by default all. Throws ConfigError for a layer that the store does not have. */
export async function readShardVectors(
  store: VectorStore,
  layer: number,
  shard: Shard,
  { first, count }: { readonly first: number; readonly count: number } = {
    first: 0,
    count: shard.rows,
  },
): Promise<ShardVectors> {
  requireLayer(store, layer);
  const { dim, dtype } = store.manifest;
  await using file = await open(shard.path);
  const read = async (tensor: string, rowBytes: number): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(count * rowBytes);
    const start = shard.tensors.get(tensor)!.byteOffset; // checked when the store was opened
    await readFully(file, bytes, { position: start + first * rowBytes, name: shard.path });
    return bytes.buffer;
  };
  const values = await read(layerTensor(layer), dim * bytesPerElement(dtype));
  return {
    values: dtype === "F16" ? float16ToFloat32(new Uint16Array(values)) : new Float32Array(values),
    norms: new Float32Array(await read(normTensor(layer), 4)),
  };
}
