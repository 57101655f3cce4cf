import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { fileArtifact } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { mapInOrder } from "./map-in-order.ts";
import { checkShard, type Shard } from "./read-shard.ts";
import { damaged, shardIndex, shardName } from "./shard-layout.ts";
import {
  STORE_COMPLETION,
  STORE_MANIFEST,
  type StoreCompletion,
  type VectorStoreManifest,
} from "./vector-store-manifest.ts";

/** A store open for reading. Holds no files open between calls. */
export interface VectorStore {
  readonly directory: string;
  readonly manifest: VectorStoreManifest;
  /** Undefined for an incomplete store (see OpenStoreOptions.allowIncomplete). */
  readonly completion: StoreCompletion | undefined;
  readonly rows: number;
  readonly shards: readonly Shard[];
}

export interface OpenStoreOptions {
  /** Opens a store whose embedding has not ended, with the rows that are there; default false. */
  readonly allowIncomplete?: boolean | undefined;
}

/**
 * Opens the store in `directory` and checks the header of every shard. Throws ConfigError where there is no store or it is
 * incomplete, FormatError naming the file where a shard is missing, truncated or does not fit the manifest.
 */
export async function openStore(
  directory: string,
  options: OpenStoreOptions = {},
): Promise<VectorStore> {
  const names = await listDirectory(directory);
  const manifest = await STORE_MANIFEST.read(join(directory, STORE_MANIFEST.name));
  const completionPath = join(directory, STORE_COMPLETION.name);
  const completion = await STORE_COMPLETION.find(completionPath);
  const shards = await checkShards(directory, names, manifest, completion?.shards);
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0);
  if (completion === undefined && options.allowIncomplete !== true) {
    throw new ConfigError(`${directory}: the store is incomplete, it holds ${rows} rows so far`, {
      hint: "Run the same culprit embed command again to finish it, or allow an incomplete store with --allow-incomplete.",
    });
  }
  if (completion !== undefined && completion.rows !== rows) {
    throw damaged(completionPath, `records ${completion.rows} rows, the shards hold ${rows}`);
  }
  return { directory, manifest, completion, rows, shards };
}

/** A vector store, a folder; openStoreForWriting writes it. */
export const VECTORS = fileArtifact("vectors", openStore);

async function listDirectory(directory: string): Promise<readonly string[]> {
  let names: readonly string[] = [];
  try {
    names = await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const got = { ENOENT: "no such folder", ENOTDIR: "a file" }[code ?? ""] ?? code;
    throw new ConfigError(`${directory}: expected a vector store, got ${got}`, {
      hint: "Give the folder that culprit embed wrote.",
      cause: error,
    });
  }
  if (!names.includes(STORE_MANIFEST.name)) {
    throw new ConfigError(
      `${directory}: expected a vector store, got a folder without ${STORE_MANIFEST.name}`,
      {
        hint: "Give the folder that culprit embed wrote.",
      },
    );
  }
  return names;
}

async function checkShards(
  directory: string,
  names: readonly string[],
  manifest: VectorStoreManifest,
  recorded: number | undefined,
): Promise<Shard[]> {
  const present = new Set(names.map(shardIndex).filter((index) => index !== undefined));
  const expected = recorded ?? Math.max(-1, ...present) + 1;
  if (present.size > expected) {
    throw damaged(
      join(directory, STORE_COMPLETION.name),
      `records ${expected} shards, the folder has ${present.size}`,
    );
  }
  const missing = Array.from({ length: expected }, (_, i) => i).find((i) => !present.has(i));
  if (missing !== undefined) {
    const path = join(directory, shardName(missing));
    throw damaged(path, `expected ${expected} shards, this one is missing`);
  }
  const shards = await mapInOrder(expected, (index) =>
    checkShard(join(directory, shardName(index)), manifest),
  );
  const short = shards.slice(0, -1).find(({ rows }) => rows < manifest.shardRows);
  if (short !== undefined) {
    throw damaged(short.path, `expected ${manifest.shardRows} rows, got ${short.rows}`);
  }
  return shards;
}
