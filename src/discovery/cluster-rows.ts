import { distancesBy, type Distances } from "../clustering/condensed.ts";
import { cutTree } from "../clustering/cut-tree.ts";
import { orderLeaves } from "../clustering/leaf-order.ts";
import { type Linkage, linkTree, type Tree } from "../clustering/linkage.ts";
import { type ClusterCount, rankClusterCounts } from "../clustering/silhouette.ts";
import { multiplyRows, type Rows } from "./multiply-rows.ts";

/** Rows as a tree, cut where the mean silhouette is largest. */
export interface Clustered {
  readonly distances: Distances;
  readonly tree: Tree;
  /** [n] */
  readonly leafOrder: Int32Array;
  /** The numbers of clusters that were tried, the best first; empty for fewer than three rows. */
  readonly counts: readonly ClusterCount[];
  readonly clusters: number;
  /** The cluster of each row, from 0, [n]. */
  readonly labels: Int32Array;
}

export interface ClusterOptions {
  readonly linkage: Linkage;
  /** How many clusters, at most one for each row; default: of 2 to `maxClusters` the number with the largest mean silhouette. */
  readonly clusters?: number | undefined;
  readonly maxClusters: number;
  readonly threads?: number | undefined;
}

/** Clusters rows by their Euclidean distances; of unit rows that is √(2 - 2 cosine). */
export async function clusterRows(rows: Rows, options: ClusterOptions): Promise<Clustered> {
  const { linkage, maxClusters, threads } = options;
  const distances = await rowDistances(rows, threads);
  const tree = linkTree(distances, linkage);
  const counts =
    options.clusters === undefined ? rankClusterCounts(tree, distances, maxClusters) : [];
  const clusters = options.clusters ?? counts[0]?.clusters ?? 1;
  const labels = cutTree(tree, clusters);
  return { distances, tree, leafOrder: orderLeaves(tree, distances), counts, clusters, labels };
}

async function rowDistances(rows: Rows, threads: number | undefined): Promise<Distances> {
  const { count, values } = await multiplyRows(rows, rows, { threads });
  return distancesBy(count, (i, j) =>
    Math.sqrt(
      Math.max(0, values[i * count + i]! + values[j * count + j]! - 2 * values[i * count + j]!),
    ),
  );
}
