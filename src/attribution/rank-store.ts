import type { VectorStore } from "../store/open-store.ts";
import { bytesPerElement } from "../store/shard-layout.ts";
import { readStoreNorms } from "../store/stream-blocks.ts";
import { type JobOptions, partOf } from "../util/progress.ts";
import { dot, norm } from "../util/vector.ts";
import type { GroupScores, ScoreGroup } from "./group-scores.ts";
import { findLowNorms } from "./low-norm.ts";
import type {
  MethodWork,
  Scored,
  ScoredBehavior,
  UnrelatedScores,
  VectorLengths,
} from "./method.ts";
import { requireSameSpace, sharedLayers } from "./require-same-space.ts";
import { createScoreGroup } from "./score-group.ts";
import { SCORER_TRAITS, type Scorer } from "./scorer.ts";
import { meanVector, streamProducts } from "./stream-products.ts";

export interface RankStoreOptions extends Partial<MethodWork> {
  /** Layers to rank at, or the one chosen for each behaviour; default: every layer that store and behaviour share. */
  readonly layers?: readonly number[] | "auto" | undefined;
  /** Default `cosine`. */
  readonly scorer?: Scorer | undefined;
  /** Null directions to score for each behaviour, at most; 0 leaves the null out. Default: all that it has. */
  readonly nullDirections?: number | undefined;
  /** Unrelated behaviours of the same checkpoint, as a second null: scored in the same way at every layer that is ranked. */
  readonly nullBehaviors?: readonly ScoredBehavior[] | undefined;
}

/** The scores of all stored pairs for one behaviour at one layer; N rows in store order. */
export interface StoreScores extends Scored {
  readonly behavior: string;
  readonly layer: number;
  readonly vectors: VectorLengths;
}

/** Columns of one matrix product: 64 MiB of directions at 4096 dimensions. More behaviours than fit take further passes. */
const MAX_COLUMNS = 4096;

/**
 * Scores all pairs of a store for all behaviours, in one pass over each layer (two for centred scores): rankings in the order of the layers,
 * then of the behaviours. Cosines divide by the norms that the store keeps, taken before rounding. Memory: the scores, 4 bytes for each
 * pair and behaviour, and a few blocks. Throws ConfigError where a behaviour belongs to another checkpoint or lacks a layer.
 */
export async function rankStore(
  store: VectorStore,
  behaviors: readonly ScoredBehavior[],
  options: RankStoreOptions = {},
): Promise<StoreScores[]> {
  const { nullBehaviors = [] } = options;
  for (const behavior of [...behaviors, ...nullBehaviors]) requireSameSpace(store, behavior);
  const layersOf = new Map(
    behaviors.map((behavior) => [behavior, sharedLayers(store, behavior, options.layers)]),
  );
  const rankings: StoreScores[] = [];
  for (const layer of store.manifest.layers) {
    const here = behaviors.filter((behavior) => layersOf.get(behavior)!.includes(layer));
    if (here.length === 0) continue;
    for (const behavior of nullBehaviors) sharedLayers(store, behavior, [layer]);
    const norms = await readStoreNorms(store, layer);
    const vectors = { norms, lowNorm: findLowNorms(norms, store.manifest) };
    const all = [...here, ...nullBehaviors];
    const scores = await scoreLayer(store, all, { ...options, layer, norms });
    for (const [i, behavior] of here.entries()) {
      const unrelated = nullBehaviors.map((other, n) => ({
        ...compareDirections(behavior, other, layer),
        ...scores[here.length + n]!,
      }));
      rankings.push({
        ...scores[i]!,
        behavior: behavior.name,
        layer,
        doubt: behavior.head.doubts[`${layer}`],
        winnerNames: behavior.scenarioIds,
        unrelated,
        vectors,
      });
    }
  }
  return rankings;
}

function compareDirections(
  behavior: ScoredBehavior,
  other: ScoredBehavior,
  layer: number,
): Pick<UnrelatedScores, "behavior" | "doubt" | "cosine"> {
  const [v, u] = [behavior.directions.get(layer)!, other.directions.get(layer)!];
  return {
    behavior: other.name,
    doubt: other.head.doubts[`${layer}`],
    cosine: dot(v, u) / norm(v) / norm(u),
  };
}

interface ScoreLayerOptions extends RankStoreOptions {
  readonly layer: number;
  readonly norms: Float32Array;
}

async function scoreLayer(
  store: VectorStore,
  behaviors: readonly ScoredBehavior[],
  options: ScoreLayerOptions,
): Promise<GroupScores[]> {
  const { layer, scorer = "cosine", norms, threads, signal, progress } = options;
  const { nullDirections = Infinity } = options;
  const { isCentred } = SCORER_TRAITS[scorer];
  let passes = isCentred ? 2 : 1; // more where the behaviours do not fit into one
  const jobOf = (pass: number): JobOptions => ({
    signal,
    progress: partOf(progress, (done, rows = store.rows) => [pass * rows + done, passes * rows]),
  });
  const mean = isCentred ? await meanVector(store, { layer, threads, ...jobOf(0) }) : undefined;
  const groups = behaviors.map((behavior) =>
    createScoreGroup(behavior, { layer, scorer, nullDirections, norms, mean }),
  );
  const packs = packGroups(groups);
  passes = packs.length + (isCentred ? 1 : 0);
  for (const [p, pack] of packs.entries()) {
    const columns = pack.flatMap((group) => group.columns);
    const job = jobOf(passes - packs.length + p);
    for await (const block of streamProducts(store, { layer, threads, ...job, columns, mean })) {
      const { firstRow, rows, squares } = block;
      const lengths = squares?.map(Math.sqrt) ?? norms.subarray(firstRow, firstRow + rows);
      let offset = 0;
      for (const group of pack) {
        group.take(block, offset, lengths);
        offset += group.columns.length;
      }
    }
  }
  countPasses(store, groups, passes, options.count);
  return groups.map((group) => group.finish());
}

/** Every pass reads all vectors of the layer; a vector takes a product with each column. */
function countPasses(
  { rows, manifest }: VectorStore,
  groups: readonly ScoreGroup[],
  passes: number,
  count: MethodWork["count"] | undefined,
): void {
  const values = rows * manifest.dim;
  const columns = groups.reduce((sum, group) => sum + group.columns.length, 0);
  count?.({
    flops: 2 * values * columns,
    bytes: passes * values * bytesPerElement(manifest.dtype),
  });
}

/** Groups that share a pass; a group is never split. */
function packGroups(groups: readonly ScoreGroup[]): ScoreGroup[][] {
  const packs: ScoreGroup[][] = [];
  let columns = Infinity;
  for (const group of groups) {
    if (columns + group.columns.length > MAX_COLUMNS) {
      packs.push([]);
      columns = 0;
    }
    packs.at(-1)!.push(group);
    columns += group.columns.length;
  }
  return packs;
}
