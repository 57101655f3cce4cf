import { chooseGroupColumn } from "../ranking/group-column.ts";
import { readStoreTable, type StoreTable } from "../store/read-shard.ts";
import { LAYER_CONVENTION } from "../store/vector-store-manifest.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions, Progress } from "../util/progress.ts";
import { createRng } from "../util/rng.ts";
import { applyModel } from "./combination.ts";
import {
  type Calibration,
  type Cell,
  type Estimate,
  type Forecast,
  type ForecastBehavior,
  PREDICTOR_KINDS,
} from "./forecast-file.ts";
import { type PairClusters, singlePairs } from "./pair-clusters.ts";
import { type ForecastStore, readPredictors, type StorePredictors } from "./read-predictors.ts";
import { NO_TOPICS, openTopics } from "./topic-cells.ts";

export interface MakeForecastOptions extends Pick<JobOptions, "signal"> {
  /** From an earlier scored forecast on the same checkpoint. Absent: predictors alone. */
  readonly calibration?: Calibration | undefined;
  /** Which pairs hang together, by the ids of the store's rows; absent: none do. */
  readonly cluster?: ((ids: readonly string[]) => Promise<PairClusters>) | undefined;
  /** Kept column that counts as the topic. Absent: source, where there is one. */
  readonly by?: string | undefined;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly progress?: ((unit: string) => Progress) | undefined;
}

/**
 * What the pairs alone say of each behaviour before any training; see readPredictors. Throws ConfigError where stores list other pairs, or a calibration does not
 * have the predictors that these stores give.
 */
export async function makeForecast(
  stores: readonly ForecastStore[],
  { calibration, cluster, by, seed, threads, signal, progress }: MakeForecastOptions,
): Promise<Forecast> {
  const [{ store }, ...others] = stores as readonly [ForecastStore, ...ForecastStore[]]; // pickBehaviors refuses none
  const table = await readStoreTable(store);
  for (const other of others) {
    expectSameRows(table, await readStoreTable(other.store), other.store.directory);
  }
  const topicColumn = chooseGroupColumn(Object.keys(table.columns), by);
  const clusters = (await cluster?.(table.ids)) ?? singlePairs(store.rows);
  const topics =
    topicColumn === undefined
      ? NO_TOPICS
      : openTopics(table.columns[topicColumn]!, clusters, createRng(seed));
  const cells: (readonly Cell[])[] = [];
  const found: (readonly StorePredictors[])[] = [];
  for (const [s, each] of stores.entries()) {
    found.push(
      await readPredictors(each, clusters.labels, {
        threads,
        signal,
        progress: progress?.(`scores of pairs by ${each.features}`),
        onProjections:
          s === 0
            ? (behavior, projections) => cells.push(topics.cellsOf(behavior, projections))
            : undefined,
      }),
    );
  }
  const behaviors = found[0]!.map(({ behavior }, b) => {
    const own = found.map((each) => each[b]!);
    const madeOf = [...new Set(stores.flatMap((each) => each.behaviors[b]!.madeOf ?? []))];
    return withForecast({ ...describeBehavior(behavior, stores, own), madeOf }, calibration);
  });
  const predictors = Object.keys(behaviors[0]!.values);
  const { checkpoint, pairs } = store.manifest;
  return {
    format: "culprit-forecast",
    version: 1,
    checkpoint,
    layerConvention: LAYER_CONVENTION,
    seed,
    pairs: {
      count: store.rows,
      contentHash: pairs.contentHash,
      shape: pairs.shape,
      unusable: Object.values(store.completion?.unusable ?? {}).reduce((sum, n) => sum + n, 0),
      clusters: clusters.count,
      clusteredBy: clusters.by,
    },
    stores: stores.map(({ features, layer }) => ({ features, layer })),
    predictors,
    behaviors,
    topicColumn,
    topicsLeftOut: topics.leftOut,
    cells: topics.names.flatMap((_, t) => cells.map((ofBehavior) => ofBehavior[t]!)), // one for each topic
    calibration,
  };
}

function expectSameRows({ ids }: StoreTable, other: StoreTable, directory: string): void {
  const at = ids.findIndex((id, row) => other.ids[row] !== id);
  if (at === -1) return;
  throw new ConfigError(
    `${directory}: expected pair "${ids[at]}" in row ${at} like the first store, got "${other.ids[at]}"`,
    { hint: "Embed the same pairs in the same order for every store." },
  );
}

function describeBehavior(
  name: string,
  stores: readonly ForecastStore[],
  found: readonly StorePredictors[],
): ForecastBehavior {
  const values: Record<string, Estimate> = {};
  const nulls: Record<string, ForecastBehavior["nulls"][string]> = {};
  const doubts: string[] = [];
  for (const [s, { features, layer }] of stores.entries()) {
    const own = found[s]!; // one for each store
    for (const kind of PREDICTOR_KINDS) {
      const value = own.values[kind];
      if (value !== undefined) values[`${features}.${kind}`] = value;
    }
    if (own.null !== undefined) nulls[features] = own.null;
    if (own.doubt !== undefined) doubts.push(`${features} at layer ${layer}: ${own.doubt}`);
  }
  return { name, doubts, values, nulls };
}

/** What an earlier calibration makes of the predictors. */
function withForecast(
  behavior: ForecastBehavior,
  calibration: Calibration | undefined,
): ForecastBehavior {
  const [model] = calibration?.models ?? [];
  if (model === undefined) return behavior;
  const forecast = applyModel(model, (name) => behavior.values[name]?.value);
  if (forecast === undefined) {
    throw new ConfigError(
      `calibrate: expected the predictors ${model.inputs.join(", ")} that it was fitted on, got ${Object.keys(behavior.values).join(", ")} of "${behavior.name}"`,
      {
        hint: "Give stores of the same features at the same layers, and behaviours with null directions.",
      },
    );
  }
  return { ...behavior, forecast };
}
