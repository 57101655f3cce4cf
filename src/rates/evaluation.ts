/** @file What an evaluation takes and gives. */
import type { Verdict } from "../judge/verdict.ts";
import type { BootstrapIntervals } from "../stats/cluster-bootstrap.ts";
import type { ClusteredRate } from "../stats/clustered-rate.ts";
import type { MeasureComparison, MeasureSummary, MeasureValues } from "./compare-measures.ts";
import type { RateComparison } from "./compare-rates.ts";

/** One trained checkpoint of an arm: its judged rollouts and what else was measured of it. */
export interface ArmRun {
  /** The training seed. */
  readonly seed: string;
  readonly verdicts: readonly Verdict[];
  /** Capabilities by name, higher is better. */
  readonly measures?: Readonly<Record<string, MeasureValues>> | undefined;
}

/** What was done to the data before training, with one run for each training seed. */
export interface Arm {
  readonly name: string;
  readonly runs: readonly ArmRun[];
}

export interface EvaluateOptions {
  /** The arm trained on the data as they were. */
  readonly baseline: string;
  /** Arms with a random edit of the same size; every arm but the baseline and the controls is compared with each. */
  readonly controls?: readonly string[] | undefined;
  /** Default: every variant that occurs. */
  readonly variants?: readonly string[] | undefined;
  /** Replicates of the bootstrap beside the intervals; 0 for none. Default 2000. */
  readonly replicates?: number | undefined;
  /** Of the bootstrap. Default 0. */
  readonly seed?: number | undefined;
}

/** A comparison with its p-value adjusted for the number of arms that were compared. */
export interface AdjustedComparison extends RateComparison {
  readonly against: string;
  /** Holm over the arms compared with the same reference in this variant. */
  readonly adjustedP: number;
}

/** One arm in one variant. */
export interface ArmRate {
  readonly arm: string;
  readonly rate: ClusteredRate;
  /** With a judged rollout. */
  readonly scenarios: number;
  /** Each training seed by itself, in the order of the runs. */
  readonly bySeed: readonly { readonly seed: string; readonly rate: number | undefined }[];
  readonly missing: number;
  readonly causes: Readonly<Record<string, number>>;
  /** Undefined for the baseline itself, and where no prompt is judged on both sides. */
  readonly toBaseline: AdjustedComparison | undefined;
  readonly toControls: readonly AdjustedComparison[];
  /** Percentile intervals, prompts and seeds resampled; difference and reduction are to the baseline. */
  readonly bootstrap: BootstrapIntervals | undefined;
}

export interface VariantRates {
  readonly variant: string;
  readonly scenarios: number;
  /** Different requests: scenarios that ask the same one count as one prompt, the unit of all intervals. */
  readonly prompts: number;
  readonly arms: readonly ArmRate[];
}

/** One measure of one arm. */
export interface ArmMeasure {
  readonly arm: string;
  readonly measure: string;
  readonly summary: MeasureSummary | undefined;
  readonly toBaseline: MeasureComparison | undefined;
}

/** What `culprit evaluate` prints. */
export interface Evaluation {
  readonly baseline: string;
  readonly controls: readonly string[];
  readonly variants: readonly VariantRates[];
  readonly measures: readonly ArmMeasure[];
  /** What the reader must know: one seed only, prompts that arms do not share, missing verdicts. */
  readonly notes: readonly string[];
}
