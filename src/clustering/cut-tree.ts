import type { Tree } from "./linkage.ts";

/**
 * The cluster of each item, [n], where the tree is cut into `count` clusters: its last count - 1 merges are undone. Clusters are numbered
 * from 0 by their lowest item. The partition is that of scipy.cluster.hierarchy.cut_tree, but where the cut goes through merges of one
 * height, whose last ones are undone here. `count` is in [1, n].
 */
export function cutTree({ n, left, right }: Tree, count: number): Int32Array {
  if (!(count >= 1 && count <= n)) throw new Error(`internal: ${count} clusters of ${n} items`);
  const root = Int32Array.from({ length: 2 * n - 1 }, (_, i) => i);
  // From the top down, so that a cluster's root is known before its parts are reached.
  for (let k = n - count - 1; k >= 0; k--) {
    root[left[k]!] = root[n + k]!;
    root[right[k]!] = root[n + k]!;
  }
  return numberByFirst(root.subarray(0, n));
}

/** The same partition with its clusters numbered from 0 in the order of their first items. */
export function numberByFirst(labels: ArrayLike<number>): Int32Array {
  const numbers = new Map<number, number>();
  return Int32Array.from(labels, (label) => {
    const known = numbers.get(label);
    if (known !== undefined) return known;
    numbers.set(label, numbers.size);
    return numbers.size - 1;
  });
}

/** The items of each cluster, rising. */
export function membersOf(labels: ArrayLike<number>, count: number): readonly number[][] {
  const members = Array.from({ length: count }, (): number[] => []);
  for (let i = 0; i < labels.length; i++) members[labels[i]!]!.push(i);
  return members;
}
