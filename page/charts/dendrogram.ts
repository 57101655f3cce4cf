/** A tree over n items in SciPy's form, and the order of its leaves. */
export interface DrawnTree {
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly height: readonly number[];
  readonly leafOrder: readonly number[];
}

/** One merge: two legs from where their branches end to the bar that joins them. Across from 0 to n, up from 0 to 1. */
export interface Merge {
  readonly across: readonly [number, number];
  readonly from: readonly [number, number];
  readonly up: number;
}

/** The merges of a tree, leaf i of the order in the middle of [i, i + 1]. Items 0 and 1 joined: across 0.5 and 1.5, from 0 and 0, up 1. */
export function dendrogram({ left, right, height, leafOrder }: DrawnTree): readonly Merge[] {
  const n = leafOrder.length;
  const highest = Math.max(...height, 1e-12);
  const at: number[] = [];
  const tops: number[] = Array.from({ length: n }, () => 0);
  for (const [i, leaf] of leafOrder.entries()) at[leaf] = i + 0.5;
  return height.map((each, k) => {
    const [a, b] = [left[k]!, right[k]!];
    const across = [at[a]!, at[b]!] as const;
    at[n + k] = (across[0] + across[1]) / 2;
    tops[n + k] = each / highest;
    return { across, from: [tops[a]!, tops[b]!], up: tops[n + k]! };
  });
}
