import type { Rng } from "../util/rng.ts";

/** k random ones of `rows`, in rising order; `rows` has at least k. A partial Fisher-Yates shuffle: only k swaps. */
export function drawRows(rows: Uint32Array, k: number, rng: Rng): Uint32Array {
  const pool = rows.slice();
  for (let i = 0; i < k; i++) {
    const j = i + rng.integer(pool.length - i);
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  return pool.slice(0, k).toSorted();
}

/**
 * As many random rows of each group as `edited` has, from `rows`, in rising order: the control with the same source mix.
 * `edited` is a subset of `rows`; rows that it holds may be drawn again. Equal arguments give equal rows.
 */
export function drawSameMix(
  rows: Uint32Array,
  edited: Uint32Array,
  groups: readonly string[],
  rng: Rng,
): Uint32Array {
  const wanted = groupRows(edited, groups);
  const pools = groupRows(rows, groups);
  const drawn = [...wanted.keys()]
    .toSorted()
    .flatMap((group) => [
      ...drawRows(Uint32Array.from(pools.get(group)!), wanted.get(group)!.length, rng),
    ]);
  return Uint32Array.from(drawn).toSorted();
}

function groupRows(rows: Uint32Array, groups: readonly string[]): Map<string, number[]> {
  const grouped = new Map<string, number[]>();
  for (const row of rows) {
    const group = groups[row]!;
    const members = grouped.get(group);
    if (members === undefined) grouped.set(group, [row]);
    else members.push(row);
  }
  return grouped;
}
