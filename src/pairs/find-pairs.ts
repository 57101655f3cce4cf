import type { JobOptions } from "../util/progress.ts";
import type { PairSet } from "./open-pairs.ts";
import type { PreferencePair } from "./preference-pair.ts";

/** The usable pairs of these ids, by id; ids that are not among them are left out. Reads no further than the last one. */
export async function findPairs(
  pairs: Pick<PairSet, "read">,
  ids: Iterable<string>,
  { signal, progress }: JobOptions = {},
): Promise<ReadonlyMap<string, PreferencePair>> {
  const left = new Set(ids);
  const found = new Map<string, PreferencePair>();
  if (left.size === 0) return found;
  for await (const pair of pairs.read({ signal })) {
    progress?.update(pair.row + 1, undefined);
    if (pair.kind !== "pair" || !left.delete(pair.id)) continue;
    found.set(pair.id, pair);
    if (left.size === 0) break;
  }
  return found;
}
