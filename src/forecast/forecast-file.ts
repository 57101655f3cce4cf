/** @file What is forecast of each behaviour, and what came of it, as one file: for people, for the report's panel, and to calibrate others by. */
import { z } from "zod";

import { FEATURE_KINDS } from "../engine/features.ts";
import { predictionQualitySchema } from "../stats/prediction-quality.ts";
import { shareSchema } from "../stats/wilson.ts";
import { checkpointSchema, LAYER_CONVENTION } from "../store/vector-store-manifest.ts";
import { countSchema, jsonArtifact, type Plain } from "../util/artifact.ts";
import { MEASURES, measuredShiftSchema } from "./shifts-file.ts";

/** What is read off the pairs along a behaviour; each is a mean over the pairs. */
export const PREDICTOR_KINDS = ["projection", "cosine", "share", "product"] as const;
export type PredictorKind = (typeof PREDICTOR_KINDS)[number];

/** What knows nothing of activations, and is scored beside the predictors. */
export const BASELINES = ["no-change", "length", "margin"] as const;

const estimateSchema = z.strictObject({
  value: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
});
export type Estimate = Plain<typeof estimateSchema>;

/** A forecast with its interval. */
const predictionSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
export type Prediction = Plain<typeof predictionSchema>;

/** How a forecast in the unit of a shift is made: Σ weight × input; see combination.ts. */
const modelSchema = z.strictObject({
  name: z.string(),
  /** Predictors, or the baselines `length` and `margin`. */
  inputs: z.array(z.string()),
  weights: z.array(z.number()),
  /** 95% of the behaviours that calibrated lie no further from their forecast, each made without its shift. */
  reach: z.number(),
});
export type Model = Plain<typeof modelSchema>;

const calibrationSchema = z.strictObject({
  measure: z.enum(MEASURES),
  lambda: z.number(),
  /** Behaviours that it was fitted on. */
  behaviors: z.array(z.string()),
  /** Of the pairs that those were trained on. */
  pairsHash: z.string(),
  models: z.array(modelSchema),
});
export type Calibration = Plain<typeof calibrationSchema>;

const nullSchema = z.strictObject({
  /** Directions of random signs, see culprit behavior. */
  directions: countSchema,
  /** (1 + those along which the pairs lie as far on average) / (1 + directions). */
  p: z.number(),
  /** The 95% quantile of how far they lie along one, on either side. */
  null95: z.number(),
});

const cellSchema = z.strictObject({
  topic: z.string(),
  behavior: z.string(),
  pairs: countSchema,
  /** Mean projection of the topic's pairs on the behaviour: chosen minus rejected. */
  difference: z.number(),
  /** The difference over the standard deviation of the topic's pairs; absent where they do not differ. */
  d: z.number().optional(),
  /** The difference over its error, by clusters; absent for a single one. */
  z: z.number().optional(),
  /** The difference in two random halves of the clusters; absent where a half is empty. */
  halves: z.array(z.number()).length(2).optional(),
  /** Whether the two have one sign. */
  agree: z.boolean().optional(),
});
export type Cell = Plain<typeof cellSchema>;

const forecastBehaviorSchema = z.strictObject({
  name: z.string(),
  /** Why its vector is evidence of nothing, a clause for each store; empty where it is stable. */
  doubts: z.array(z.string()),
  /** SHA-256 of the files of response pairs that it was made of; absent where nothing says. */
  madeOf: z.array(z.string()).optional(),
  /** By predictor. */
  values: z.record(z.string(), estimateSchema),
  /** By features: of the mean projection. */
  nulls: z.record(z.string(), nullSchema),
  /** In the unit of the calibrating shifts; there with a calibration alone. */
  forecast: predictionSchema.optional(),
});
export type ForecastBehavior = Plain<typeof forecastBehaviorSchema>;

/**
 * How held-out predictions were made: by a calibration that was there before; without the behaviour itself; without its family, those whose names begin with the same
 * word (`writes-` in `writes-stars`), which may be nearly the same behaviour; or of a random half, without it.
 */
export const HOLDOUTS = ["given", "leave-one-out", "leave-family-out", "split"] as const;

const scoredForecastSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(["combination", "predictor", "baseline"]),
  ...predictionQualitySchema.shape,
  /** Signs of the behaviours alone whose observed interval leaves 0 out. */
  movedSigns: shareSchema,
  /** Behaviours whose observed shift lies within the interval of its forecast, which should be 95%. */
  covered: shareSchema,
});
export type ScoredForecast = Plain<typeof scoredForecastSchema>;

const scoredBehaviorSchema = z.strictObject({
  name: z.string(),
  observed: measuredShiftSchema,
  /** Whether the observed interval leaves 0 out. */
  moved: z.boolean(),
  /** By forecast; absent for a behaviour that calibrated and was not held out. */
  predicted: z.record(z.string(), predictionSchema).optional(),
  /** Whether the combination has the sign of what was observed; absent as `predicted` is. */
  hit: z.boolean().optional(),
});
export type ScoredBehavior = Plain<typeof scoredBehaviorSchema>;

const scoreSchema = z.strictObject({
  measure: z.enum(MEASURES),
  /** The checkpoint after training, as far as it is known. */
  trained: z.strictObject({ name: z.string(), checkpointHash: z.string() }),
  /** Whether the trained checkpoint says that it was trained on these pairs. */
  samePairs: z.enum(["yes", "unknown"]),
  holdout: z.enum(HOLDOUTS),
  /** Behaviours that were held out. */
  heldOut: countSchema,
  /** With a forecast and without an observed shift, and the other way round. */
  unobserved: z.array(z.string()),
  unforecast: z.array(z.string()),
  /** Scored by the very response pairs that they were made of, which flatters them. */
  ownResponses: z.array(z.string()).optional(),
  /** Baselines that could not be told, with the reason. */
  missing: z.record(z.string(), z.string()),
  /** The combination first, then predictors and baselines. */
  forecasts: z.array(scoredForecastSchema),
  /** R² of the combination less that of each baseline, with an interval from resampling behaviours; empty where there is no R². */
  advantages: z.array(z.strictObject({ over: z.string(), ...estimateSchema.shape })),
  /** Largest observed shift first. */
  behaviors: z.array(scoredBehaviorSchema),
  /** Why there is no R², where there is none. */
  noR2: z.string().optional(),
  /** Fitted on all behaviours, for forecasts of other data; where one was given, that. */
  calibration: calibrationSchema,
});
export type Score = Plain<typeof scoreSchema>;

const schema = z.strictObject({
  format: z.literal("culprit-forecast"),
  version: z.literal(1),
  checkpoint: checkpointSchema,
  layerConvention: z.literal(LAYER_CONVENTION),
  seed: z.int(),
  pairs: z.strictObject({
    count: countSchema,
    contentHash: z.string(),
    shape: z.string(),
    /** Rows of the pair files without vectors. */
    unusable: countSchema,
    /** What intervals take as independent: pairs of equal prompts together, or each pair. */
    clusters: countSchema,
    clusteredBy: z.enum(["prompt", "pair"]),
  }),
  stores: z.array(z.strictObject({ features: z.enum(FEATURE_KINDS), layer: countSchema })).min(1),
  /** Names of all predictors: features and kind, `states.projection`. */
  predictors: z.array(z.string()).min(1),
  behaviors: z.array(forecastBehaviorSchema).min(1),
  /** The column that topics come from; absent where there is none. */
  topicColumn: z.string().optional(),
  /** Topics that are not among the cells, as there are too many. */
  topicsLeftOut: countSchema,
  /** Of the first store, by topic and behaviour. */
  cells: z.array(cellSchema),
  calibration: calibrationSchema.optional(),
  score: scoreSchema.optional(),
});
export type Forecast = Plain<typeof schema>;

export const FORECAST = jsonArtifact("forecast.json", "what culprit forecast wrote", schema, {
  indent: 1,
  hint: "Is this the file that culprit forecast wrote, by a version of culprit like this one?",
});
