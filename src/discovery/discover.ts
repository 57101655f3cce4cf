import { clusterStability } from "../clustering/cluster-stability.ts";
import { membersOf } from "../clustering/cut-tree.ts";
import type { Linkage } from "../clustering/linkage.ts";
import { chooseGroupColumn, groupName } from "../ranking/group-column.ts";
import type { VectorStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-shard.ts";
import { describeCheckpoint, LAYER_CONVENTION } from "../store/vector-store-manifest.ts";
import { ConfigError } from "../util/errors.ts";
import type { Progress } from "../util/progress.ts";
import { createRng } from "../util/rng.ts";
import { assignColumns, clusterColumns } from "./cluster-columns.ts";
import { type Clustered, clusterRows } from "./cluster-rows.ts";
import { describeClusters } from "./describe-clusters.ts";
import type { Discovery } from "./discovery-file.ts";
import { multiplyRows, pickRows, type Rows, rowOf, stackRows } from "./multiply-rows.ts";
import { drawRows, readPairRows, usablePairs } from "./pair-sample.ts";
import type { ResponseStates } from "./response-states.ts";
import { MAX_STREAMED, streamCosines } from "./stream-cosines.ts";
import { testClusters } from "./test-clusters.ts";
import { directedRows, meanDirection, unitDifferences } from "./unit-rows.ts";

export interface DiscoverOptions {
  readonly linkage: Linkage;
  /** Of prompts; absent: by silhouette. */
  readonly clusters?: number | undefined;
  readonly maxClusters: number;
  /** Prompts that a cluster needs to be tested. */
  readonly minPrompts: number;
  /** Pairs that clusters are tested on. */
  readonly testPairs: number;
  /** Pairs that are clustered, and in the matrix. */
  readonly matrixPairs: number;
  readonly draws: number;
  readonly replicates: number;
  readonly leanShare: number;
  readonly alpha: number;
  /** Pairs listed for each cluster. */
  readonly top: number;
  /** Kept column that counts as the source; absent: source, where there is one. */
  readonly by?: string | undefined;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A display for one part of the work; `unit` is plural. */
  readonly progress?: ((unit: string) => Progress) | undefined;
}

/** The prompts that changed, as unit rows, [P, width] each. */
export interface ChangedPrompts {
  /** Which of the states' prompts, rising. */
  readonly picked: readonly number[];
  /** By the samples of even number: these choose the clusters. */
  readonly choosing: Rows;
  /** By those of odd number: these test them. */
  readonly testing: Rows;
  /** By all samples, each of which counts the same. */
  readonly whole: Rows;
}

/** Numbers drawn for one purpose do not depend on how many another takes. */
const STREAMS = { sample: 1, matrix: 2, variation: 3, stability: 4 } as const;

/**
 * Clusters the prompts by how M1's responses differ from M0's, and holds each cluster to the pairs of a store. Clusters are chosen by one half
 * of the samples and tested by the other, against directions in which M0's own samples differ; see docs/how-to-discover.md. Memory: the states, three
 * times P x width x 4 bytes, the sampled pairs and two values for each pair and cluster; vectors of the store are streamed. Throws ConfigError
 * where fewer than three prompts changed, or fewer than the clusters asked for.
 */
export async function discover(
  states: ResponseStates,
  store: VectorStore,
  leftOut: number,
  options: DiscoverOptions,
): Promise<Discovery> {
  const { linkage, seed, threads, signal, progress } = options;
  const { layers } = states;
  const stream = (purpose: keyof typeof STREAMS): ReturnType<typeof createRng> =>
    createRng(seed * 8 + STREAMS[purpose]);
  const table = await readStoreTable(store);
  const by = chooseGroupColumn(Object.keys(table.columns), options.by);
  const sources = by === undefined ? undefined : table.columns[by]!.map(groupName); // it is one of the columns
  const changed = changedPrompts(states);
  expectClusters(options.clusters, changed.picked.length);
  const rows = await clusterRows(changed.choosing, options);
  const stability = clusterStability(rows.distances, rows.labels, {
    linkage,
    rng: stream("stability"),
    replicates: options.replicates,
  });

  const usable = await usablePairs(store, layers);
  const tested = drawRows(usable.rows, options.testPairs, stream("sample"));
  const pairs = await readPairRows(store, layers, tested, {
    signal,
    progress: progress?.("sampled pairs"),
  });
  const variation = unitDifferences(
    halfOf(states, states.before[0]),
    halfOf(states, states.before[1]),
    layers.length,
  );
  const tests = await testClusters(
    { changed, rows, pairs, variation, rng: stream("variation") },
    options,
  );

  const inMatrix = drawRows([...tested.keys()], options.matrixPairs, stream("matrix"));
  const columns = await clusterColumns(changed.whole, pickRows(pairs, inMatrix), options);
  const directions = membersOf(rows.labels, rows.clusters).map((members) =>
    meanDirection(changed.whole, members),
  );
  const streamed = await streamCosines(
    store,
    stack([...directions, ...columns.centres], states.width),
    { layers, norms: usable.norms, threads, signal, progress: progress?.("pairs") },
  );
  const cosines = streamed.slice(0, directions.length);
  const assigned = assignColumns(streamed.slice(directions.length), columns.offsets, {
    usable: usable.rows,
    sources,
  });
  const ofTested = await multiplyRows(pairs, changed.testing, { threads });
  const clusters = describeClusters(
    { states, changed, rows, directions, stability, tests },
    { ids: table.ids, usable: usable.rows, sources, cosines, tested, ofTested },
    options,
  );
  return {
    format: "culprit-discovery",
    version: 1,
    checkpoint: describeCheckpoint(states.identity),
    layers,
    layerConvention: LAYER_CONVENTION,
    linkage,
    seed,
    counts: {
      prompts: changed.picked.length,
      leftOut,
      unusable: states.unusable.length,
      unchanged: states.prompts.length - changed.picked.length,
      truncated: states.truncated,
      pairs: store.rows,
      lowNorm: store.rows - usable.rows.length,
      tested: tested.length,
      variation: tests.variationPrompts,
    },
    ...(by === undefined ? {} : { by }),
    leanShare: options.leanShare,
    alpha: options.alpha,
    rows: {
      ids: changed.picked.map((i) => states.prompts[i]!.id),
      clusters: [...rows.labels],
      tree: treeOf(rows),
    },
    columns: {
      ids: inMatrix.map((i) => table.ids[tested[i]!]!),
      clusters: [...columns.clustered.labels],
      tree: treeOf(columns.clustered),
      assigned,
    },
    matrix: thousandths(columns.profiles),
    clusters,
  };
}

/** Throws ConfigError where more clusters are asked for than there are prompts. */
export function expectClusters(clusters: number | undefined, prompts: number): void {
  if (clusters === undefined || clusters <= prompts) return;
  throw new ConfigError(
    `clusters: expected at most ${prompts}, the prompts to cluster, got ${clusters}`,
    { hint: "Set fewer, or leave clusters out: the silhouette then says how many." },
  );
}

/** Changed are prompts whose choosing halves differ as M0 reads them. Throws ConfigError for fewer than three. */
export function changedPrompts(states: ResponseStates): ChangedPrompts {
  const { before, after, layers } = states;
  const [first, second] = [0, 1].map((h) =>
    unitDifferences(halfOf(states, after[h]!), halfOf(states, before[h]!), layers.length),
  ) as [Rows, Rows]; // two halves
  const picked = directedRows(first);
  if (picked.length < 3) {
    throw new ConfigError(
      `discover: expected three or more prompts at which the checkpoints answer differently, got ${picked.length} of ${states.prompts.length}`,
      { hint: "Give other prompts, or more samples of each; is --after another checkpoint?" },
    );
  }
  const all = unitDifferences(meanOf(states, "after"), meanOf(states, "before"), layers.length);
  return {
    picked,
    choosing: pickRows(first, picked),
    testing: pickRows(second, picked),
    whole: pickRows(all, picked),
  };
}

const halfOf = ({ prompts, width }: ResponseStates, values: Float32Array): Rows => ({
  count: prompts.length,
  width,
  values,
});

/** Over all responses of a prompt: of an odd number the half of even samples has one more. */
function meanOf(states: ResponseStates, side: "before" | "after"): Rows {
  const { prompts, width } = states;
  const [even, odd] = states[side];
  return halfOf(
    states,
    even.map((value, i) => {
      const responses = prompts[Math.floor(i / width)]![side].length;
      const evens = Math.ceil(responses / 2);
      return (evens * value + (responses - evens) * odd[i]!) / responses;
    }),
  );
}

function stack(directions: readonly Float32Array[], width: number): Rows {
  if (directions.length > MAX_STREAMED) {
    throw new ConfigError(
      `discover: expected at most ${MAX_STREAMED} clusters of prompts and pairs, got ${directions.length}`,
    );
  }
  return stackRows(directions, width);
}

function treeOf({ tree, leafOrder, clusters, counts }: Clustered): Discovery["rows"]["tree"] {
  return {
    left: [...tree.left],
    right: [...tree.right],
    height: [...tree.height],
    size: [...tree.size],
    leafOrder: [...leafOrder],
    clusters,
    tried: counts,
  };
}

/** Profiles are [pairs, prompts]; the matrix has a row for each prompt. */
function thousandths(profiles: Rows): number[][] {
  return Array.from({ length: profiles.width }, (_, p) =>
    Array.from(
      { length: profiles.count },
      (__, i) => Math.round(1000 * rowOf(profiles, i)[p]!) + 0,
    ),
  );
}
