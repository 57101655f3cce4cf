import { splitRows, toUnit } from "../attribution/group-scores.ts";
import type { ScoredBehavior } from "../attribution/method.ts";
import { rankStore, type RankStoreOptions, type StoreScores } from "../attribution/rank-store.ts";
import { acrossTo } from "../attribution/score-group.ts";
import { meanVector } from "../attribution/stream-products.ts";
import type { FeatureKind } from "../engine/features.ts";
import { clusteredMean } from "../stats/clustered-mean.ts";
import { quantile } from "../stats/quantile.ts";
import type { VectorStore } from "../store/open-store.ts";
import { type JobOptions, partOf } from "../util/progress.ts";
import { dot, norm } from "../util/vector.ts";
/** @file What the pairs of a store say of each behaviour before any training: means along its direction. N pairs. */
import { findTail } from "./find-tail.ts";
import type { Estimate, ForecastBehavior, PredictorKind } from "./forecast-file.ts";

/** A store at one layer with the behaviours of its features. */
export interface ForecastStore {
  readonly store: VectorStore;
  readonly features: FeatureKind;
  readonly layer: number;
  /** In one order for all stores. */
  readonly behaviors: readonly BehaviorToMeasure[];
}

/** A behaviour whose vectors are read when they are needed: a bank of many is larger than what one needs of it. */
export interface BehaviorToMeasure {
  readonly name: string;
  /** SHA-256 of the files of response pairs that it was made of. */
  readonly madeOf?: readonly string[] | undefined;
  /** With the store's layer. */
  read(): Promise<MeasuredBehavior>;
}

/** What a forecast needs of a behaviour. */
export type MeasuredBehavior = ScoredBehavior & {
  /** Length of the mean difference by layer. */
  readonly lengths: ReadonlyMap<number, number>;
};

/** What one store says of one behaviour. */
export interface StorePredictors {
  readonly behavior: string;
  /** By kind; `share` is absent without null directions. */
  readonly values: Readonly<Partial<Record<PredictorKind, Estimate>>>;
  readonly null?: ForecastBehavior["nulls"][string] | undefined;
  readonly doubt?: string | undefined;
}

/** Hears ⟨v_d, v̂⟩ of each pair, 0 for one without a direction, [N]; the array is not kept. */
export type TakeProjections = (behavior: string, projections: Float32Array) => void;

/** Behaviours that are scored together: each has numbers for every pair. */
const BEHAVIORS_AT_ONCE = 16;
/** Their directions with all null directions: 16 MiB at 4096 dimensions, and some copies. */
const DIRECTIONS_AT_ONCE = 1024;

interface PredictorWork extends Pick<RankStoreOptions, "threads">, JobOptions {
  readonly onProjections?: TakeProjections | undefined;
}

/**
 * The predictors of every behaviour of a store:
 *
 * - projection: mean of ⟨v_d, v̂⟩, v̂ the behaviour's direction at length 1;
 * - cosine: mean of cos(v_d, v);
 * - share: of the pairs, those above the 95% quantile of the cosines with null directions, less those below the 5% quantile;
 * - product: mean of ⟨v_d, v⟩, v as long as the mean difference. In features that are gradients of log-probabilities a small step of DPO
 *   moves the behaviour's own margin by as much, up to a factor: its gradient at M0 is the sum of those of the pairs (arXiv 2305.18290,
 *   eq. 7). Influence features are means over tokens, so there it is the margin per token in a training by log-probabilities per token.
 *
 * Pairs whose sides are read alike (no direction) push nothing and count as 0. Intervals are over `clusters` [N], see clusteredMean. Memory:
 * some numbers for each pair, whatever the behaviours are. Worked: v_d (3, 4) and (0, 0), v (2, 0): projection 1.5, cosine 0.3, product 3.
 */
export async function readPredictors(
  { store, layer, behaviors }: ForecastStore,
  clusters: Int32Array,
  { onProjections, progress, ...work }: PredictorWork,
): Promise<readonly StorePredictors[]> {
  const mean = await meanVector(store, { ...work, layer });
  const found: StorePredictors[] = [];
  for await (const some of inParts(behaviors, layer)) {
    const part = partOf(progress, (done, rows = store.rows) => [
      found.length * rows + some.length * done,
      behaviors.length * rows,
    ]);
    const how = { ...work, progress: part, layers: [layer], scorer: "cosine" } as const;
    const scored = await rankStore(store, some, how);
    for (const [b, behavior] of some.entries()) {
      const scores = scored[b]!; // one layer, so one ranking for each
      found.push(predictorsOf(behavior, scores, { layer, mean, clusters, onProjections }));
    }
  }
  return found;
}

/** The behaviours in their order, as many at a time as may be scored together. */
async function* inParts(
  behaviors: readonly BehaviorToMeasure[],
  layer: number,
): AsyncGenerator<readonly MeasuredBehavior[]> {
  let part: MeasuredBehavior[] = [];
  let directions = 0;
  for (const [b, each] of behaviors.entries()) {
    const read = await each.read();
    part.push(read);
    directions += 1 + (read.nullDirections.get(layer)?.length ?? 0) / read.dim;
    const isFull = part.length >= BEHAVIORS_AT_ONCE || directions >= DIRECTIONS_AT_ONCE;
    if (!isFull && b < behaviors.length - 1) continue;
    yield part;
    part = [];
    directions = 0;
  }
}

interface PredictorSettings extends Pick<PredictorWork, "onProjections"> {
  readonly layer: number;
  /** Of the store's vectors, [D]. */
  readonly mean: Float32Array;
  readonly clusters: Int32Array;
}

function predictorsOf(
  behavior: MeasuredBehavior,
  scores: StoreScores,
  { layer, mean, clusters, onProjections }: PredictorSettings,
): StorePredictors {
  const cosines = scores.scores.map((cosine) => (Number.isNaN(cosine) ? 0 : cosine));
  const projections = cosines.map((cosine, i) => cosine * scores.vectors.norms[i]!);
  const estimate = (values: Float32Array): Estimate => clusteredMean(values, clusters);
  const projection = estimate(projections);
  const sides = sidesOf(scores, cosines);
  onProjections?.(behavior.name, projections);
  return {
    behavior: behavior.name,
    values: {
      projection,
      cosine: estimate(cosines),
      ...(sides && { share: estimate(sides) }),
      product: scale(projection, behavior.lengths.get(layer)!),
    },
    null: holdToNull(behavior, layer, mean),
    doubt: scores.doubt,
  };
}

/** 1 for a pair above what null directions reach in one of twenty, −1 below, else 0; undefined where there is no null. */
function sidesOf({ null: found }: StoreScores, cosines: Float32Array): Float32Array | undefined {
  if (found === undefined) return undefined;
  const [top, bottom] = [findTail(found, "top"), findTail(found, "bottom")];
  return cosines.map((cosine) => (cosine > top ? 1 : cosine < bottom ? -1 : 0));
}

/** The mean projection against those on null directions, less their parts along the behaviour's own. */
function holdToNull(
  { directions, nullDirections, dim }: ScoredBehavior,
  layer: number,
  mean: Float32Array,
): StorePredictors["null"] {
  const direction = directions.get(layer)!;
  const along = splitRows(nullDirections.get(layer), dim)
    .map((vector) => acrossTo(vector, direction))
    .filter((vector) => vector !== undefined)
    .map((vector) => Math.abs(dot(mean, toUnit(vector))));
  if (along.length === 0) return undefined;
  const found = Math.abs(dot(mean, direction) / norm(direction));
  const atLeast = along.filter((each) => each >= found).length;
  return {
    directions: along.length,
    p: (1 + atLeast) / (1 + along.length),
    null95: quantile(along, 0.95),
  };
}

const scale = ({ value, low, high }: Estimate, factor: number): Estimate => ({
  value: value * factor,
  low: low && low * factor,
  high: high && high * factor,
});
