/** @file What steering takes and gives. */
import type { GenerateOptions } from "../engine/generation/generate-options.ts";
import type { Judge, RolloutWithPrompt } from "../judge/judge.ts";
import type { RateComparison } from "../rates/compare-rates.ts";
import type { RolloutSampling } from "../rollouts/rollouts.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import type { ClusteredRate } from "../stats/clustered-rate.ts";

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
export interface Coherence {
  /** Mean over all tokens, in nats; undefined where nothing could be scored. */
  readonly logprob: number | undefined;
  readonly tokens: number;
  /** Rollouts that the checkpoint's template cannot render: in no mean. */
  readonly unscored: number;
}

/** The rate of one arm in one variant. */
export interface SteeredRate {
  readonly variant: string;
  readonly rate: ClusteredRate;
  /** Rollouts without a verdict, in no rate, and why. */
  readonly missing: number;
  readonly causes: Readonly<Record<string, number>>;
}

/** Rollouts sampled in one way. */
export interface SteeredArm {
  /** Its folder beneath `arms/`. */
  readonly name: string;
  readonly coherence: Coherence;
  readonly rates: readonly SteeredRate[];
}

/** An arm with steering. */
export interface CheckedArm extends SteeredArm {
  /** Of `add`. */
  readonly strength: number | undefined;
  /** Nats per token less likely than the unsteered text; undefined where one of them could not be scored. */
  readonly drop: number | undefined;
  readonly isCoherent: boolean;
}

/** All random directions of a layer. */
export interface RandomArms {
  readonly directions: readonly CheckedArm[];
  /** Over those whose text is coherent, or over all where none is; the interval allows for their differences. */
  readonly rates: readonly SteeredRate[];
}

/** A comparison over the same prompts; `adjustedP` is Holm's over all layers and variants of the report. */
export interface AdjustedEffect extends RateComparison {
  readonly adjustedP: number;
}

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
export interface SteeringEffect {
  readonly variant: string;
  readonly steeredToUnsteered: AdjustedEffect | undefined;
  readonly steeredToRandom: AdjustedEffect | undefined;
  readonly randomToUnsteered: AdjustedEffect | undefined;
  readonly verdict: SteeringVerdict;
  /** The verdict as a sentence with its figures. */
  readonly sentence: string;
}

/** Steering with the direction of one layer, or with those of several at once. */
export interface LayerSteering {
  /** The direction's; undefined of several at once. */
  readonly layer: number | undefined;
  /** The layers at which the residual stream was changed. */
  readonly at: readonly number[];
  /** Length of the direction; undefined of several. */
  readonly length: number | undefined;
  /** `add`: what was tried, by rising strength. */
  readonly grid: readonly CheckedArm[];
  /** Where the strength comes from. */
  readonly reason: string;
  /** Undefined where no strength leaves the text coherent: then there are no effects. */
  readonly steered: CheckedArm | undefined;
  readonly random: RandomArms | undefined;
  readonly effects: readonly SteeringEffect[];
}

/** What `culprit steer` found; the same for the same settings, whenever it is run. */
export interface SteeringReport {
  readonly format: "culprit-steering";
  readonly version: 1;
  readonly mode: SteeringMode;
  readonly checkpoint: { readonly name: string; readonly checkpointHash: string };
  readonly judge: string;
  /** What "shows" means. */
  readonly behavior: string;
  /** Of all scenarios and variants. */
  readonly prompts: number;
  readonly scenarios: number;
  /** Different requests: scenarios that ask the same one hang together, and are one unit of all intervals. */
  readonly requests: number;
  /** Scenarios that the behaviour was made from too; absent where there are none. */
  readonly shared?: number | undefined;
  readonly sampling: RolloutSampling;
  readonly coherenceBound: number;
  readonly unsteered: SteeredArm;
  readonly layers: readonly LayerSteering[];
  /** What the reader must know. */
  readonly notes: readonly string[];
}
