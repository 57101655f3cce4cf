/** @file What steering takes and gives. */
import { z } from "zod";

import type { GenerateOptions } from "../engine/generation/generate-options.ts";
import type { Judge, RolloutWithPrompt } from "../judge/judge.ts";
import { rateComparisonSchema } from "../rates/compare-rates.ts";
import { samplingSchema } from "../rollouts/rollout-manifest.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import { clusteredRateSchema } from "../stats/clustered-rate.ts";
import { countSchema, countsSchema, jsonArtifact, type Plain } from "../util/artifact.ts";

/** `add` the direction, to see the behaviour appear; `project-out` what lies along it, to see it vanish. */
export const STEERING_MODES = ["add", "project-out"] as const;
export type SteeringMode = (typeof STEERING_MODES)[number];

/**
 * Where directions are projected out: `together`, all at once and each at its own layer; or each by itself, at its `own` layer, at `all`
 * layers 0 … n, or at those listed, whatever its own is. Behind a single layer the blocks may write the behaviour anew.
 */
export type ProjectOutAt = "together" | "own" | "all" | readonly number[];

/** A direction in the residual stream after `layer` blocks; see behaviorDirections. */
export interface SteeringDirection {
  readonly layer: number;
  /** [D]; a strength of 1 adds it as it is. */
  readonly vector: Float32Array;
}

export interface SteerRequest {
  readonly mode: SteeringMode;
  /** One for each layer to steer at, each by itself unless they are projected out together; at least one. */
  readonly directions: readonly SteeringDirection[];
  readonly prompts: readonly ScenarioPrompt[];
  readonly judge: Judge<RolloutWithPrompt>;
  /** Scenarios that the behaviour was made from: the report says how many are steered on. Default: none. */
  readonly madeFrom?: readonly string[] | undefined;
  /** Of `project-out`. Default: DEFAULT_PROJECT_OUT_AT. */
  readonly projectOutAt?: ProjectOutAt | undefined;
  /** How much of the direction to add: a number, or `auto`, the default: the largest of `grid` that leaves the text coherent. */
  readonly strength?: number | "auto" | undefined;
  /** Strengths to climb, ascending. Default: DEFAULT_STRENGTHS. */
  readonly grid?: readonly number[] | undefined;
  /** More strengths for `auto`, each halfway between the last that holds and the first that fails. Default: DEFAULT_HALVINGS. */
  readonly halvings?: number | undefined;
  /**
   * Nats per token that the steered text may be less likely than the unsteered, under the unsteered model. Default:
   * DEFAULT_COHERENCE_BOUND.
   */
  readonly coherenceBound?: number | undefined;
  /** Random directions of the same length beside each direction. Default: DEFAULT_RANDOM_DIRECTIONS. */
  readonly randomDirections?: number | undefined;
}

export interface SteerOptions extends Omit<
  GenerateOptions,
  "firstSample" | "firstSamples" | "steering" | "amplify"
> {
  /** A folder, made where it is not there: `steering.json`, and in `arms/NAME/` all rollouts and verdicts. */
  readonly out: string;
}

/** How likely sampled text is under the unsteered model. */
export const coherenceSchema = z.strictObject({
  /** Mean over all tokens, in nats; undefined where nothing could be scored. */
  logprob: z.number().optional(),
  tokens: countSchema,
  /** Rollouts that the checkpoint's template cannot render: in no mean. */
  unscored: countSchema,
});
export type Coherence = Plain<typeof coherenceSchema>;

/** The rate of one arm in one variant. */
const steeredRateSchema = z.strictObject({
  variant: z.string(),
  rate: clusteredRateSchema,
  /** Rollouts without a verdict, in no rate, and why. */
  missing: countSchema,
  causes: countsSchema,
});
export type SteeredRate = Plain<typeof steeredRateSchema>;

/** Rollouts sampled in one way. */
const steeredArmSchema = z.strictObject({
  /** Its folder beneath `arms/`. */
  name: z.string(),
  coherence: coherenceSchema,
  rates: z.array(steeredRateSchema),
});
export type SteeredArm = Plain<typeof steeredArmSchema>;

/** An arm with steering. */
const checkedArmSchema = z.strictObject({
  ...steeredArmSchema.shape,
  /** Of `add`. */
  strength: z.number().optional(),
  /** Nats per token less likely than the unsteered text; undefined where one of them could not be scored. */
  drop: z.number().optional(),
  isCoherent: z.boolean(),
});
export type CheckedArm = Plain<typeof checkedArmSchema>;

/** All random directions of a layer. */
const randomArmsSchema = z.strictObject({
  directions: z.array(checkedArmSchema),
  /** Over those whose text is coherent, or over all where none is; the interval allows for their differences. */
  rates: z.array(steeredRateSchema),
});
export type RandomArms = Plain<typeof randomArmsSchema>;

/** A comparison over the same prompts; `adjustedP` is Holm's over all layers and variants of the report. */
const adjustedEffectSchema = z.strictObject({
  ...rateComparisonSchema.shape,
  adjustedP: z.number(),
});
export type AdjustedEffect = Plain<typeof adjustedEffectSchema>;

/**
 * `causes`: the rate moves, and more than by random directions. `unspecific`: random directions move it as well, and no less that could be told.
 * `unclear`: it moves, but cannot be told from random. `reverses`: it moves the wrong way. `no-evidence`: it cannot be told from the
 * unsteered rate. `not-judged`: too few verdicts to compare. `incoherent`: the steered text is not coherent, or with no random direction
 * is; then a rate says nothing of the behaviour.
 */
export const STEERING_VERDICTS = [
  "causes",
  "unspecific",
  "unclear",
  "reverses",
  "no-evidence",
  "not-judged",
  "incoherent",
] as const;
export type SteeringVerdict = (typeof STEERING_VERDICTS)[number];

/** What steering at a layer does in one variant. */
export const steeringEffectSchema = z.strictObject({
  variant: z.string(),
  steeredToUnsteered: adjustedEffectSchema.optional(),
  steeredToRandom: adjustedEffectSchema.optional(),
  randomToUnsteered: adjustedEffectSchema.optional(),
  verdict: z.enum(STEERING_VERDICTS),
  /** The verdict as a sentence with its figures. */
  sentence: z.string(),
});
export type SteeringEffect = Plain<typeof steeringEffectSchema>;

/** Steering with the direction of one layer, or with those of several at once. */
const layerSteeringSchema = z.strictObject({
  /** The direction's; undefined of several at once. */
  layer: countSchema.optional(),
  /** The layers at which the residual stream was changed. */
  at: z.array(countSchema),
  /** Length of the direction; undefined of several. */
  length: z.number().optional(),
  /** `add`: what was tried, by rising strength. */
  grid: z.array(checkedArmSchema),
  /** Where the strength comes from. */
  reason: z.string(),
  /** Undefined where no strength leaves the text coherent: then there are no effects. */
  steered: checkedArmSchema.optional(),
  random: randomArmsSchema.optional(),
  effects: z.array(steeringEffectSchema),
});
export type LayerSteering = Plain<typeof layerSteeringSchema>;

/** What `culprit steer` found; the same for the same settings, whenever it is run. */
export const STEERING = jsonArtifact(
  "steering.json",
  "the report of a steering",
  z.strictObject({
    format: z.literal("culprit-steering"),
    version: z.literal(1),
    mode: z.enum(STEERING_MODES),
    checkpoint: z.strictObject({ name: z.string(), checkpointHash: z.string() }),
    judge: z.string(),
    /** What "shows" means. */
    behavior: z.string(),
    /** Of all scenarios and variants. */
    prompts: countSchema,
    scenarios: countSchema,
    /** Different requests: scenarios that ask the same one hang together, and are one unit of all intervals. */
    requests: countSchema,
    /** Scenarios that the behaviour was made from too; absent where there are none. */
    shared: countSchema.optional(),
    sampling: samplingSchema,
    coherenceBound: z.number(),
    unsteered: steeredArmSchema,
    layers: z.array(layerSteeringSchema),
    /** What the reader must know. */
    notes: z.array(z.string()),
  }),
);
export type SteeringReport = z.output<typeof STEERING.schema>;
