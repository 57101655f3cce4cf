/** @file Whether what was given beside each other is about the same pairs. */
import type { PairSet } from "../../pairs/open-pairs.ts";
import type { VectorStore } from "../../store/open-store.ts";
import { ConfigError } from "../../util/errors.ts";

interface OfPairs {
  readonly ranking?: { readonly path: string; readonly pairsHash: string | undefined } | undefined;
  readonly store?: Pick<VectorStore, "directory" | "manifest"> | undefined;
  readonly pairs?: Pick<PairSet, "contentHash"> | undefined;
}

/**
 * Throws ConfigError where the content hashes of the pairs differ: then ids mean other pairs. Rankings that are no Parquet file do not say
 * what they are of, and are held to nothing.
 */
export function expectSamePairs({ ranking, store, pairs }: OfPairs): void {
  const stored = store?.manifest.pairs.contentHash;
  const known = [
    { what: store?.directory, setting: "store", hash: stored },
    { what: ranking?.path, setting: "ranking", hash: ranking?.pairsHash },
  ].filter(({ hash }) => hash !== undefined);
  const [first, second] = known;
  if (first !== undefined && second !== undefined && first.hash !== second.hash) {
    throw new ConfigError(
      `store: expected the vectors of the pairs that ${ranking?.path} ranks, got others`,
      { hint: "Name the store and the ranking of one embedding." },
    );
  }
  if (pairs === undefined || first === undefined || pairs.contentHash === first.hash) return;
  throw new ConfigError(
    `pairs: expected those that ${first.what} is of, got others: other files, or another --limit or --shape`,
    { hint: "Name the files in the order in which they were embedded, read in the same way." },
  );
}
