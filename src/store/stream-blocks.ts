/** @file The vectors of a store as a stream of blocks, read ahead into the caller's memory. */
import { open, type FileHandle } from "node:fs/promises";

import { readFully } from "../format/safetensors.ts";
import { ConfigError } from "../util/errors.ts";
import { mapInOrder } from "./map-in-order.ts";
import type { VectorStore } from "./open-store.ts";
import { bytesPerElement, layerTensor, normTensor } from "./shard-layout.ts";

/** Some rows of one layer's vectors, in the buffer that the caller gave. */
export interface VectorBlock {
  /** Which of the caller's buffers holds the block. */
  readonly buffer: number;
  /** Store row of the block's first row. */
  readonly firstRow: number;
  readonly rows: number;
}

/**
 * Streams a layer's vectors through the caller's buffers, all of equal size and at least two: while one block is in use the
 * others are being filled. A block stays valid until the next one is asked for. Blocks hold whole rows in the store's
 * dtype and do not cross shards.
 */
export async function* streamBlocks(
  store: VectorStore,
  layer: number,
  buffers: readonly Uint8Array[],
): AsyncGenerator<VectorBlock, void, void> {
  requireLayer(store, layer);
  const rowBytes = store.manifest.dim * bytesPerElement(store.manifest.dtype);
  const blockRows = Math.floor((buffers[0]?.byteLength ?? 0) / rowBytes);
  if (buffers.length < 2 || blockRows < 1) throw new Error("internal: no room to stream blocks");
  const files = createFileQueue();
  const plan = planBlocks(store, layer, blockRows);
  const pending: Promise<VectorBlock>[] = [];
  const read = async (block: PlannedBlock, buffer: number): Promise<VectorBlock> => {
    const { path, position, firstRow, rows } = block;
    const file = await files.open(path);
    const target = buffers[buffer]!.subarray(0, rows * rowBytes);
    await readFully(file, target, { position, name: path });
    return { buffer, firstRow, rows };
  };
  let issued = 0;
  const issue = (): void => {
    const next = plan.next();
    if (next.done === true) return;
    const reading = read(next.value, issued++ % buffers.length);
    // Awaited in order below; until then a failure must not count as unhandled.
    reading.catch(() => {});
    pending.push(reading);
  };
  try {
    for (let i = 0; i < buffers.length - 1; i++) issue();
    for (let reading = pending.shift(); reading !== undefined; reading = pending.shift()) {
      const block = await reading;
      issue();
      yield block;
    }
  } finally {
    await Promise.allSettled(pending);
    await files.close();
  }
}

/** Where the rows of a block lie. */
export interface PlannedBlock {
  /** File of the shard. */
  readonly path: string;
  /** Byte of the file at which the first row begins. */
  readonly position: number;
  /** Store row of the first. */
  readonly firstRow: number;
  readonly rows: number;
}

/** A layer's vectors as blocks of up to `blockRows` whole rows in store order, none across two shards. Throws ConfigError for a layer that is not there. */
export function* planBlocks(
  store: VectorStore,
  layer: number,
  blockRows: number,
): Generator<PlannedBlock, void, void> {
  requireLayer(store, layer);
  const rowBytes = store.manifest.dim * bytesPerElement(store.manifest.dtype);
  let firstRow = 0;
  for (const shard of store.shards) {
    const { path } = shard;
    const start = shard.tensors.get(layerTensor(layer))!.byteOffset; // checked at opening
    for (let rowInShard = 0; rowInShard < shard.rows; rowInShard += blockRows) {
      const rows = Math.min(blockRows, shard.rows - rowInShard);
      yield { path, position: start + rowInShard * rowBytes, firstRow, rows };
      firstRow += rows;
    }
  }
}

/** Keeps the last few files open: blocks come in order, so older ones are done with. */
function createFileQueue(): { open(path: string): Promise<FileHandle>; close(): Promise<void> } {
  const opened: { path: string; file: Promise<FileHandle> }[] = [];
  const KEPT = 8; // more than any sensible number of buffers
  return {
    async open(path) {
      const found = opened.find((each) => each.path === path);
      if (found !== undefined) return found.file;
      const file = open(path);
      opened.push({ path, file });
      if (opened.length > KEPT) await (await opened.shift()!.file).close();
      return file;
    },
    async close() {
      for (const { file } of opened.splice(0)) await (await file).close();
    },
  };
}

/** ‖v_d‖ of all rows at a layer, [N], as it was before rounding to the store's dtype. */
export async function readStoreNorms(store: VectorStore, layer: number): Promise<Float32Array> {
  requireLayer(store, layer);
  const norms = new Float32Array(store.rows);
  const bytes = new Uint8Array(norms.buffer);
  let next = 0;
  const starts = store.shards.map(({ rows }) => (next += 4 * rows) - 4 * rows);
  await mapInOrder(store.shards.length, async (index) => {
    const shard = store.shards[index]!;
    const start = starts[index]!;
    const position = shard.tensors.get(normTensor(layer))!.byteOffset; // checked when the store was opened
    await using file = await open(shard.path);
    const target = bytes.subarray(start, start + shard.rows * 4);
    await readFully(file, target, { position, name: shard.path });
  });
  return norms;
}

/** Throws ConfigError for a layer that the store does not have. */
export function requireLayer({ directory, manifest }: VectorStore, layer: number): void {
  if (!manifest.layers.includes(layer)) {
    throw new ConfigError(
      `${directory}: expected one of the layers ${manifest.layers.join(", ")}, got ${layer}`,
      { hint: "Embed the pairs at that layer too, into another store." },
    );
  }
}
