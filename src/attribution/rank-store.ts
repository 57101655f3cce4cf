import type { VectorStore } from "../store/open-store.ts";
import { readStoreNorms } from "../store/stream-blocks.ts";
import type { JobOptions, Progress } from "../util/progress.ts";
import { dot, norm } from "../util/vector.ts";
import type { GroupScores, ScoreGroup } from "./group-scores.ts";
import { findLowNorms, LOW_NORM_SHARE, type LowNorm } from "./low-norm.ts";
import { meanVector } from "./mean-vector.ts";
import type { NullComparison } from "./null-comparison.ts";
import { requireSameSpace, sharedLayers } from "./require-same-space.ts";
import { createScoreGroup } from "./score-group.ts";
import { SCORER_TRAITS, type ScoredBehavior, type Scorer } from "./scorer.ts";
import { streamProducts } from "./stream-products.ts";

export interface RankStoreOptions extends JobOptions {
  /** Layers to rank at, or the one chosen for each behaviour; default: every layer that store and behaviour share. */
  readonly layers?: readonly number[] | "auto" | undefined;
  /** Default `cosine`. */
  readonly scorer?: Scorer | undefined;
  /** Null directions to score for each behaviour, at most; 0 leaves the null out. Default 64. */
  readonly nullDirections?: number | undefined;
  /** Unrelated behaviours of the same checkpoint, as a second null: scored in the same way at every layer that is ranked. */
  readonly nullBehaviors?: readonly ScoredBehavior[] | undefined;
  /** See findLowNorms; default 0.05. */
  readonly lowNormShare?: number | undefined;
  /** Threads of the arithmetic; default: one for each core. */
  readonly threads?: number | undefined;
}

/** The scores of all stored pairs for one behaviour at one layer; N rows in store order. */
export interface BehaviorScores extends GroupScores {
  readonly behavior: string;
  readonly layer: number;
  readonly scorer: Scorer;
  /** Why the behaviour's vector is not stable at this layer; undefined where it is. */
  readonly doubt: string | undefined;
  /** Names of the bank's vectors, for `winners`. */
  readonly scenarioIds: readonly string[];
  /** The same pairs scored by the unrelated behaviours. */
  readonly unrelated: readonly UnrelatedScores[];
}

/** What an unrelated behaviour makes of the same pairs. */
export interface UnrelatedScores {
  readonly behavior: string;
  /** Why its vector is not stable at this layer, which makes it no null; undefined where it is. */
  readonly doubt: string | undefined;
  /** Between its direction and that of the behaviour. */
  readonly cosine: number;
  /** NaN where a pair has none, [N]. */
  readonly scores: Float32Array;
  /** Against its own null directions. */
  readonly null: NullComparison | undefined;
}

/** The datapoint vectors of one layer. */
export interface LayerNorms {
  readonly layer: number;
  /** ‖v_d‖ before rounding to the store's dtype, [N]. */
  readonly norms: Float32Array;
  readonly lowNorm: LowNorm;
}

export interface StoreScores {
  readonly layers: readonly LayerNorms[];
  /** In the order of the layers, then of the behaviours. */
  readonly rankings: readonly BehaviorScores[];
}

/** Columns of one matrix product: 64 MiB of directions at 4096 dimensions. More behaviours than fit take further passes. */
const MAX_COLUMNS = 4096;

/**
 * Scores all pairs of a store for all behaviours, in one pass over each layer (two for centred scores). Cosines divide by the
 * norms that the store keeps, taken before rounding. Memory: the scores, 4 bytes for each pair and behaviour, and a few
 * blocks. Throws ConfigError where a behaviour belongs to another checkpoint or lacks a layer.
 */
export async function rankStore(
  store: VectorStore,
  behaviors: readonly ScoredBehavior[],
  options: RankStoreOptions = {},
): Promise<StoreScores> {
  const { scorer = "cosine", lowNormShare = LOW_NORM_SHARE, nullBehaviors = [] } = options;
  for (const behavior of [...behaviors, ...nullBehaviors]) requireSameSpace(store, behavior);
  const layersOf = new Map(
    behaviors.map((behavior) => [behavior, sharedLayers(store, behavior, options.layers)]),
  );
  const layers: LayerNorms[] = [];
  const rankings: BehaviorScores[] = [];
  for (const layer of store.manifest.layers) {
    const here = behaviors.filter((behavior) => layersOf.get(behavior)!.includes(layer));
    if (here.length === 0) continue;
    for (const behavior of nullBehaviors) sharedLayers(store, behavior, [layer]);
    const norms = await readStoreNorms(store, layer);
    layers.push({ layer, norms, lowNorm: findLowNorms(norms, store.manifest, lowNormShare) });
    const all = [...here, ...nullBehaviors];
    const scores = await scoreLayer(store, all, { ...options, scorer, layer, norms });
    for (const [i, behavior] of here.entries()) {
      const { name, scenarioIds, head } = behavior;
      const doubt = head.doubts[`${layer}`];
      const unrelated = nullBehaviors.map((other, n) => {
        const { scores: own, null: comparison } = scores[here.length + n]!;
        return { ...compareDirections(behavior, other, layer), scores: own, null: comparison };
      });
      rankings.push({
        ...scores[i]!,
        behavior: name,
        layer,
        scorer,
        doubt,
        scenarioIds,
        unrelated,
      });
    }
  }
  return { layers, rankings };
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
  readonly scorer: Scorer;
  readonly layer: number;
  readonly norms: Float32Array;
}

async function scoreLayer(
  store: VectorStore,
  behaviors: readonly ScoredBehavior[],
  options: ScoreLayerOptions,
): Promise<GroupScores[]> {
  const { layer, scorer, norms, threads, signal, progress, nullDirections = 64 } = options;
  const { isCentred } = SCORER_TRAITS[scorer];
  let passes = isCentred ? 2 : 1; // more where the behaviours do not fit into one
  const jobOf = (pass: number): JobOptions => ({
    signal,
    ...(progress === undefined ? {} : { progress: partOf(progress, pass, passes) }),
  });
  const settings = { layer, threads };
  const mean = isCentred ? await meanVector(store, { ...settings, ...jobOf(0) }) : undefined;
  const groups = behaviors.map((behavior) =>
    createScoreGroup(behavior, { layer, scorer, nullDirections, norms, mean }),
  );
  const packs = packGroups(groups);
  passes = packs.length + (isCentred ? 1 : 0);
  for (const [p, pack] of packs.entries()) {
    const columns = pack.flatMap((group) => group.columns);
    const blocks = streamProducts(store, {
      ...settings,
      ...jobOf(passes - packs.length + p),
      columns,
      mean,
    });
    for await (const block of blocks) {
      const { firstRow, rows, squares } = block;
      const lengths = squares?.map(Math.sqrt) ?? norms.subarray(firstRow, firstRow + rows);
      let offset = 0;
      for (const group of pack) {
        group.take(block, offset, lengths);
        offset += group.columns.length;
      }
    }
  }
  return groups.map((group) => group.finish());
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

/** The progress of one of several equal passes. */
function partOf(progress: Progress, pass: number, passes: number): Progress {
  return {
    ...progress,
    update: (done, total) =>
      progress.update(
        total === undefined ? done : pass * total + done,
        total === undefined ? undefined : passes * total,
      ),
  };
}
