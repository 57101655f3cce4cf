/**
 * @file Mean silhouette (Rousseeuw 1987), the criterion for the number of clusters. It uses the distances that made the tree, needs no
 * model of data without clusters in thousands of dimensions (as the gap statistic does) and can be held to scikit-learn. It cannot say that
 * there is one cluster alone; what speaks against that is each cluster's stability and its own test.
 */
import { distanceOf, type Distances } from "./condensed.ts";
import { cutTree } from "./cut-tree.ts";
import type { Tree } from "./linkage.ts";

/** What one number of clusters is worth. */
export interface ClusterCount {
  readonly clusters: number;
  /** In [-1, 1]. */
  readonly silhouette: number;
}

/**
 * Cuts the tree into 2 to `most` clusters (at most n - 1) and gives the mean silhouette of each; best first, the fewer clusters among
 * equals. Empty for fewer than three items.
 */
export function rankClusterCounts(
  tree: Tree,
  distances: Distances,
  most: number,
): readonly ClusterCount[] {
  const counts: ClusterCount[] = [];
  for (let clusters = 2; clusters <= Math.min(most, tree.n - 1); clusters++) {
    counts.push({ clusters, silhouette: meanSilhouette(distances, cutTree(tree, clusters)) });
  }
  return counts.toSorted((a, b) => b.silhouette - a.silhouette);
}

/** The mean over items, as sklearn.metrics.silhouette_score. Labels count from 0, at least two clusters. */
export function meanSilhouette(distances: Distances, labels: ArrayLike<number>): number {
  const values = silhouettes(distances, labels);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * (b - a) / max(a, b) of each item, [n]: a its mean distance to the others of its cluster, b that to the nearest other cluster; 0 for a
 * cluster of one.
 *
 * Worked: items at 0, 1 and 5 on a line, the first two together, have 1 - 1/5 = 0.8, 1 - 1/4 = 0.75 and 0.
 */
export function silhouettes(distances: Distances, labels: ArrayLike<number>): Float64Array {
  const { n } = distances;
  const sizes: number[] = [];
  for (let i = 0; i < n; i++) sizes[labels[i]!] = (sizes[labels[i]!] ?? 0) + 1;
  const sums = new Float64Array(n * sizes.length);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const distance = distanceOf(distances, i, j);
      sums[i * sizes.length + labels[j]!]! += distance;
      sums[j * sizes.length + labels[i]!]! += distance;
    }
  }
  return Float64Array.from({ length: n }, (_, i) =>
    silhouetteOf(sums.subarray(i * sizes.length, (i + 1) * sizes.length), sizes, labels[i]!),
  );
}

function silhouetteOf(sums: Float64Array, sizes: readonly number[], own: number): number {
  if (sizes[own] === 1) return 0;
  const a = sums[own]! / (sizes[own]! - 1);
  let b = Infinity;
  for (const [cluster, size] of sizes.entries()) {
    if (cluster !== own && size > 0) b = Math.min(b, sums[cluster]! / size);
  }
  const larger = Math.max(a, b);
  return larger > 0 ? (b - a) / larger : 0;
}
