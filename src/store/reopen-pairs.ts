/** @file The pairs that a store was made from, where their files are still what they were. */
import { stat } from "node:fs/promises";

import { openPairs, type PairSet } from "../pairs/open-pairs.ts";
import { PAIR_SHAPES } from "../pairs/shapes/shapes.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import type { VectorStore } from "./open-store.ts";

/** The pairs, or why there are none, as the end of a sentence. */
export type ReopenedPairs =
  | { readonly kind: "pairs"; readonly pairs: PairSet }
  | { readonly kind: "absent"; readonly reason: string };

export interface ReopenPairsOptions extends Pick<JobOptions, "signal"> {
  /** Larger files together are not read; default: any size. */
  readonly maxBytes?: number | undefined;
}

/**
 * Opens the pair files that the manifest names, relative to the folder that the process is in, and holds them to its content hash. Files
 * that are gone, unreadable or others than they were are a reason, not an error: nobody asked for these files by name.
 */
export async function reopenPairs(
  { manifest, completion, rows }: VectorStore,
  { signal, maxBytes = Infinity }: ReopenPairsOptions = {},
): Promise<ReopenedPairs> {
  const { files, contentHash } = manifest.pairs;
  const shape = PAIR_SHAPES.find((each) => each === manifest.pairs.shape);
  if (shape === undefined) return absent(`their shape ${manifest.pairs.shape} is not known`);
  // A store does not say to which row its files were read; so many it has seen.
  const unusable = Object.values(completion?.unusable ?? {});
  const limit = rows + unusable.reduce((sum, count) => sum + count, 0);
  try {
    let bytes = 0;
    for (const file of files) bytes += (await stat(file)).size;
    if (bytes > maxBytes) return absent(`they have ${Math.round(bytes / 1e6)} MB`);
    for (const options of [{ shape }, { shape, limit }]) {
      const pairs = await openPairs(files, { ...options, signal });
      if (pairs.contentHash === contentHash) return { kind: "pairs", pairs };
    }
    return absent("they are not what was embedded");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return absent(
        `they are not where they were: there is no ${files.join(", ").slice(0, 200)} seen from this folder, and a run's store names them as its experiment's folder sees them`,
      );
    }
    if (code === "EACCES" || error instanceof ConfigError || error instanceof FormatError) {
      return absent(`they cannot be read: ${(error as Error).message}`);
    }
    throw error;
  }
}

const absent = (reason: string): ReopenedPairs => ({ kind: "absent", reason });
