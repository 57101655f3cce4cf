/** @file Pairs clustered by their profiles, the cosines with every prompt's behaviour vector: a sample as a tree, all others by the nearest centre. */
import { membersOf } from "../clustering/cut-tree.ts";
import { type Clustered, clusterRows, type ClusterOptions } from "./cluster-rows.ts";
import { multiplyRows, type Rows, rowOf } from "./multiply-rows.ts";

/** The sampled pairs in clusters, and what assigns the others. */
export interface ClusteredColumns {
  /** Cosines [pairs, prompts]. */
  readonly profiles: Rows;
  readonly clustered: Clustered;
  /** For each cluster Σₚ cₚ uₚ, c its mean profile and u the prompts' unit rows: its product with a pair's unit row is that of profile and centre. */
  readonly centres: readonly Float32Array[];
  /** ‖c‖² / 2 of each. */
  readonly offsets: readonly number[];
}

/** Clusters sampled pairs, [n, width] unit rows, by their profiles over `prompts`. */
export async function clusterColumns(
  prompts: Rows,
  pairs: Rows,
  options: Omit<ClusterOptions, "clusters">,
): Promise<ClusteredColumns> {
  const { linkage, maxClusters, threads } = options;
  const profiles = await multiplyRows(pairs, prompts, { threads });
  const clustered = await clusterRows(profiles, { linkage, maxClusters, threads });
  const means = membersOf(clustered.labels, clustered.clusters).map((members) =>
    Float64Array.from({ length: prompts.count }, (_, p) => {
      const sum = members.reduce((total, i) => total + rowOf(profiles, i)[p]!, 0);
      return sum / members.length;
    }),
  );
  return {
    profiles,
    clustered,
    centres: means.map((centre) => combine(prompts, centre)),
    offsets: means.map((centre) => centre.reduce((sum, value) => sum + value * value, 0) / 2),
  };
}

function combine(rows: Rows, weights: Float64Array): Float32Array {
  const sum = new Float64Array(rows.width);
  for (let p = 0; p < rows.count; p++) {
    const row = rowOf(rows, p);
    for (let j = 0; j < sum.length; j++) sum[j]! += weights[p]! * row[j]!;
  }
  return Float32Array.from(sum);
}

/** What a cluster of columns holds. */
export interface AssignedColumns {
  readonly pairs: number;
  readonly sources: Readonly<Record<string, number>>;
}

/** Counts all usable pairs by the centre that is nearest to their profile: the largest ⟨profile, c⟩ - ‖c‖² / 2. */
export function assignColumns(
  products: readonly Float32Array[],
  offsets: readonly number[],
  pairs: { readonly usable: readonly number[]; readonly sources: readonly string[] | undefined },
): readonly AssignedColumns[] {
  const found = offsets.map(() => ({ pairs: 0, sources: new Map<string, number>() }));
  for (const row of pairs.usable) {
    let best = 0;
    for (let k = 1; k < offsets.length; k++) {
      if (products[k]![row]! - offsets[k]! > products[best]![row]! - offsets[best]!) best = k;
    }
    const cluster = found[best]!;
    cluster.pairs += 1;
    const source = pairs.sources?.[row];
    if (source === undefined) continue;
    cluster.sources.set(source, (cluster.sources.get(source) ?? 0) + 1);
  }
  return found.map((each) => ({ pairs: each.pairs, sources: Object.fromEntries(each.sources) }));
}
