/** @file Writing a vector store: shard by shard, each whole or absent, by one process at a time, resumable at any moment. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { writeSafetensors } from "../format/safetensors.ts";
import { ConfigError } from "../util/errors.ts";
import { makeFolder } from "../util/make-folder.ts";
import { lockForWriting } from "../util/writer-lock.ts";
import { encodeShard, type ShardRows } from "./encode-shard.ts";
import { checkShard } from "./read-shard.ts";
import { damaged, EXACT_ROUNDS, shardIndex, shardName } from "./shard-layout.ts";
import {
  requireSameManifest,
  STORE_COMPLETION,
  STORE_MANIFEST,
  type StoreCompletion,
  type VectorStoreManifest,
} from "./vector-store-manifest.ts";

/** A store open for writing; dispose of it to let others write. */
export interface StoreWriter extends AsyncDisposable {
  readonly manifest: VectorStoreManifest;
  /** Numbers of the shards that are finished, those of earlier runs included. */
  readonly finishedShards: ReadonlySet<number>;
  /** Rows in the finished shards. */
  readonly finishedRows: number;
  /** The record of the completed store, or undefined while it is not complete. */
  readonly completion: StoreCompletion | undefined;
  /**
   * Writes shard `index` whole or not at all. Every shard but the last has exactly `manifest.shardRows` rows. Throws
   * RuntimeError where a value does not fit (naming layer and pair) or the disk is full.
   */
  writeShard(index: number, rows: ShardRows): Promise<void>;
  /** Marks the store as complete; `unusable` counts the rows of the pair files without vectors, by reason. */
  complete(unusable: Readonly<Record<string, number>>): Promise<void>;
}

/**
 * Creates a store in `directory`, or reopens one to go on where it ended. Leftovers of interrupted writes are removed; every
 * finished shard is checked. Throws ConfigError where the folder holds a store with another manifest (naming the field) or
 * other files, FormatError for a damaged shard, RuntimeError where another process writes there.
 */
export async function openStoreForWriting(
  directory: string,
  manifest: VectorStoreManifest,
): Promise<StoreWriter> {
  await makeFolder(directory);
  const lock = await lockForWriting(directory);
  try {
    return createWriter(directory, lock, await prepareDirectory(directory, manifest));
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

interface WriterState {
  readonly manifest: VectorStoreManifest;
  /** Shard number to its rows. */
  readonly finished: Map<number, number>;
  readonly completion: StoreCompletion | undefined;
}

async function prepareDirectory(
  directory: string,
  manifest: VectorStoreManifest,
): Promise<WriterState> {
  const names = await readdir(directory);
  const path = join(directory, STORE_MANIFEST.name);
  const firstShard = names.find((name) => shardIndex(name) !== undefined);
  if (firstShard !== undefined && !names.includes(STORE_MANIFEST.name)) {
    throw new ConfigError(
      `${directory}: expected a new folder or a store, got ${firstShard} without ${STORE_MANIFEST.name}`,
      { hint: "Choose another folder." },
    );
  }
  const other = names.find((name) => !isOfStore(name));
  if (other !== undefined && !names.includes(STORE_MANIFEST.name)) {
    throw new ConfigError(`${directory}: expected a new folder or a store, it holds ${other}`, {
      hint: "Choose a new folder, so that nothing of yours is mixed with the shards.",
    });
  }
  if (firstShard !== undefined || names.includes(STORE_COMPLETION.name)) {
    requireSameManifest(directory, await STORE_MANIFEST.read(path), manifest);
  } else {
    // A run that ended before its first shard has left nothing to protect.
    await STORE_MANIFEST.write(path, manifest);
  }
  for (const name of names.filter(isLeftover)) await rm(join(directory, name), { force: true });
  const finished = await findFinishedShards(directory, names, manifest);
  return { manifest, finished, completion: await readCompletion(directory, finished.size) };
}

/** What a finished write of this store leaves. */
const isRecord = (name: string): boolean =>
  name === STORE_MANIFEST.name || name === STORE_COMPLETION.name || shardIndex(name) !== undefined;

/** What `embed` itself leaves in a folder, whenever it was interrupted. */
const isOfStore = (name: string): boolean =>
  isRecord(name) ||
  name.endsWith(".partial") ||
  name.startsWith("writer.lock") ||
  name.startsWith("unusable.jsonl") ||
  name === EXACT_ROUNDS;

/** An interrupted write of this store; anything else in the folder is left alone. */
const isLeftover = (name: string): boolean =>
  name.endsWith(".partial") && isRecord(name.slice(0, -".partial".length));

function createWriter(directory: string, lock: AsyncDisposable, state: WriterState): StoreWriter {
  const { manifest, finished } = state;
  let { completion } = state;
  const finishedRows = (): number => [...finished.values()].reduce((sum, rows) => sum + rows, 0);
  return {
    manifest,
    get finishedShards() {
      return new Set(finished.keys());
    },
    get finishedRows() {
      return finishedRows();
    },
    get completion() {
      return completion;
    },
    async writeShard(index, rows) {
      if (completion !== undefined) throw new Error("internal: a complete store takes no shards");
      if (finished.has(index)) throw new Error(`internal: shard ${index} is written already`);
      if (rows.ids.length < 1 || rows.ids.length > manifest.shardRows) {
        throw new Error(
          `internal: shard of ${rows.ids.length} rows, at most ${manifest.shardRows}`,
        );
      }
      const { tensors, metadata } = encodeShard(manifest, rows);
      await writeSafetensors(join(directory, shardName(index)), tensors, metadata);
      finished.set(index, rows.ids.length);
    },
    async complete(unusable) {
      requireContiguous(directory, finished, manifest);
      const record: StoreCompletion = {
        format: "culprit-vectors-complete",
        rows: finishedRows(),
        shards: finished.size,
        unusable: { ...unusable },
      };
      await STORE_COMPLETION.write(join(directory, STORE_COMPLETION.name), record);
      completion = record;
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  };
}

async function readCompletion(
  directory: string,
  shards: number,
): Promise<StoreCompletion | undefined> {
  const path = join(directory, STORE_COMPLETION.name);
  const completion = await STORE_COMPLETION.find(path);
  if (completion === undefined || completion.shards === shards) return completion;
  // Somebody deleted a damaged shard: what is left is an incomplete store like any other.
  await rm(path);
  return undefined;
}

async function findFinishedShards(
  directory: string,
  names: readonly string[],
  manifest: VectorStoreManifest,
): Promise<Map<number, number>> {
  const finished = new Map<number, number>();
  for (const name of names) {
    const index = shardIndex(name);
    if (index === undefined) continue;
    finished.set(index, (await checkShard(join(directory, name), manifest)).rows);
  }
  return finished;
}

function requireContiguous(
  directory: string,
  finished: ReadonlyMap<number, number>,
  { shardRows }: VectorStoreManifest,
): void {
  for (let index = 0; index < finished.size; index++) {
    const rows = finished.get(index);
    const isLast = index === finished.size - 1;
    if (rows === undefined || (rows < shardRows && !isLast)) {
      throw damaged(
        join(directory, shardName(index)),
        `expected ${shardRows} rows, got ${rows ?? "no file"}`,
      );
    }
  }
}
