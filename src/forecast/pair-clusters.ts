import type { PairSet } from "../pairs/open-pairs.ts";
import { promptKey } from "../pairs/prompt-key.ts";
import type { JobOptions } from "../util/progress.ts";

/** Which pairs are no independent draws, [N]. */
export interface PairClusters {
  /** Whole numbers from 0; equal for pairs of one cluster. */
  readonly labels: Int32Array;
  readonly count: number;
  readonly by: "prompt" | "pair";
}

/** Each pair by itself. */
export const singlePairs = (count: number): PairClusters => ({
  labels: Int32Array.from({ length: count }, (_, i) => i),
  count,
  by: "pair",
});

/** Pairs of equal prompts together, told by a hash of their turns; `ids` are those of the store's rows. Memory: the ids and a hash for each prompt. */
export async function clusterByPrompt(
  ids: readonly string[],
  pairs: Pick<PairSet, "read">,
  { signal, progress }: JobOptions,
): Promise<PairClusters> {
  const rowOf = new Map(ids.map((id, row) => [id, row]));
  const labelOf = new Map<string, number>();
  const labels = new Int32Array(ids.length).fill(-1);
  let read = 0;
  for await (const pair of pairs.read({ signal })) {
    progress?.update(++read, undefined);
    const row = pair.kind === "pair" ? rowOf.get(pair.id) : undefined;
    if (row === undefined || pair.kind !== "pair") continue;
    const key = promptKey(pair.prompt, pair.context);
    const label = labelOf.get(key) ?? labelOf.size;
    labelOf.set(key, label);
    labels[row] = label;
  }
  const missing = labels.indexOf(-1);
  if (missing !== -1) throw new Error(`internal: pair ${ids[missing]} has vectors and no text`);
  return { labels, count: labelOf.size, by: "prompt" };
}
