/** @file Exact vectors of some pairs of a store: read as a store of their own, and put in place of the first ones. */
import { join } from "node:path";

import type { EmbeddingEngine } from "../engine/engine.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { RuntimeError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import { embedPairs } from "./embed-pairs.ts";
import { openStore, type VectorStore } from "./open-store.ts";
import { streamShardTables } from "./read-shard.ts";
import { readShardVectors, readStoreVector } from "./read-vector.ts";
import type { Refinement } from "./refinement.ts";
import { EXACT_ROUNDS } from "./shard-layout.ts";
import { createManifest, type VectorStoreManifest } from "./vector-store-manifest.ts";
import { openStoreForWriting } from "./write-store.ts";

/** Makes a store of these rows of another, in their order. */
export type ReadExactly = (round: number, rows: readonly number[]) => Promise<VectorStore>;

/** Where an exact vector is. */
export interface ExactPlace {
  readonly store: VectorStore;
  readonly row: number;
}

/**
 * Embeds rows of a store as its manifest says, by an engine of F32, into a store beneath `directory` for each round. A round that is there
 * already, whole or in part, is gone on with. `ids` are those of the first store's rows, `pairs` what it was made of.
 */
export function exactReader(
  first: VectorStore,
  {
    engine,
    pairs,
    ids,
    directory,
  }: {
    readonly engine: EmbeddingEngine;
    readonly pairs: PairSet;
    readonly ids: readonly string[];
    readonly directory: string;
  },
  job: JobOptions,
): ReadExactly {
  const { layers, template, maxTokens, dtype, shardRows, pairs: made } = first.manifest;
  return async (round, rows) => {
    const folder = join(directory, EXACT_ROUNDS, String(round).padStart(2, "0"));
    const some = pairsOf(
      pairs,
      rows.map((row) => ids[row]!),
    );
    const { pairs: found } = await embedPairs(engine, some, folder, {
      ...job,
      layers,
      template,
      ignoresUnread: made.ignoreUnread,
      maxTokens: maxTokens ?? engine.identity.maxPositions,
      dtype,
      shardRows,
    });
    if (found !== rows.length) {
      throw new RuntimeError(
        `${folder}: expected the ${rows.length} pairs that the first store has there, got ${found}`,
        { hint: "Name the pair files as they were when they were embedded." },
      );
    }
    return openStore(folder);
  };
}

/** The pairs of these ids alone. */
function pairsOf(pairs: PairSet, ids: readonly string[]): PairSet {
  const wanted = new Set(ids);
  return {
    ...pairs,
    contentHash: hashValue({ pairs: pairs.contentHash, ids }),
    async *read(options) {
      let left = wanted.size;
      for await (const row of pairs.read(options)) {
        if (row.kind !== "pair" || !wanted.has(row.id)) continue;
        yield row;
        if (--left === 0) return;
      }
    },
  };
}

/** What the store that comes of it says of itself. */
export function refinedManifest(
  { manifest }: VectorStore,
  refinement: Refinement,
): VectorStoreManifest {
  const { precision: _, ...checkpoint } = manifest.checkpoint;
  return createManifest({ ...manifest, checkpoint, refined: refinement });
}

/** Writes the first store with exact vectors in place of those that it has, shard by shard; goes on where it was interrupted. */
export async function writeRefined(
  first: VectorStore,
  exact: ReadonlyMap<number, ExactPlace>,
  refinement: Refinement,
  directory: string,
  { signal, progress }: JobOptions = {},
): Promise<void> {
  const { layers, dim } = first.manifest;
  await using writer = await openStoreForWriting(directory, refinedManifest(first, refinement));
  let index = 0;
  let firstRow = 0;
  for await (const { shard, table } of streamShardTables(first)) {
    signal?.throwIfAborted();
    if (!writer.finishedShards.has(index)) {
      const read = new Map(
        await Promise.all(
          layers.map(
            async (layer) => [layer, await readShardVectors(first, layer, shard)] as const,
          ),
        ),
      );
      for (let row = 0; row < shard.rows; row++) {
        const place = exact.get(firstRow + row);
        if (place === undefined) continue;
        for (const [layer, { values, norms }] of read) {
          const own = await readStoreVector(place.store, layer, place.row);
          values.set(own.values, row * dim);
          norms[row] = own.norm;
        }
      }
      await writer.writeShard(index, {
        ...table,
        layers: new Map([...read].map(([layer, { values }]) => [layer, values])),
        norms: new Map([...read].map(([layer, { norms }]) => [layer, norms])),
      });
    }
    index++;
    firstRow += shard.rows;
    progress?.update(firstRow, first.rows);
  }
  if (writer.completion === undefined) await writer.complete(first.completion?.unusable ?? {});
}
