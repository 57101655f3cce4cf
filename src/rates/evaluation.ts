/** @file What an evaluation takes and gives. */
import { z } from "zod";

import type { Verdict } from "../judge/verdict.ts";
import { bootstrapSchema } from "../stats/cluster-bootstrap.ts";
import { clusteredRateSchema } from "../stats/clustered-rate.ts";
import { countSchema, countsSchema, jsonArtifact, type Plain } from "../util/artifact.ts";
import {
  measureComparisonSchema,
  measureSummarySchema,
  type MeasureValues,
} from "./compare-measures.ts";
import { rateComparisonSchema } from "./compare-rates.ts";

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
const adjustedComparisonSchema = z.strictObject({
  ...rateComparisonSchema.shape,
  against: z.string(),
  /** Holm over the arms compared with the same reference in this variant. */
  adjustedP: z.number(),
});
export type AdjustedComparison = Plain<typeof adjustedComparisonSchema>;

/** One arm in one variant. */
const armRateSchema = z.strictObject({
  arm: z.string(),
  rate: clusteredRateSchema,
  /** With a judged rollout. */
  scenarios: countSchema,
  /** Each training seed by itself, in the order of the runs. */
  bySeed: z.array(z.strictObject({ seed: z.string(), rate: z.number().optional() })),
  missing: countSchema,
  causes: countsSchema,
  /** Undefined for the baseline itself, and where no prompt is judged on both sides. */
  toBaseline: adjustedComparisonSchema.optional(),
  toControls: z.array(adjustedComparisonSchema),
  /** Percentile intervals, prompts and seeds resampled; difference and reduction are to the baseline. */
  bootstrap: bootstrapSchema.optional(),
});
export type ArmRate = Plain<typeof armRateSchema>;

const variantRatesSchema = z.strictObject({
  variant: z.string(),
  scenarios: countSchema,
  /** Different requests: scenarios that ask the same one count as one prompt, the unit of all intervals. */
  prompts: countSchema,
  arms: z.array(armRateSchema),
});
export type VariantRates = Plain<typeof variantRatesSchema>;

/** One measure of one arm. */
const armMeasureSchema = z.strictObject({
  arm: z.string(),
  measure: z.string(),
  summary: measureSummarySchema.optional(),
  toBaseline: measureComparisonSchema.optional(),
});
export type ArmMeasure = Plain<typeof armMeasureSchema>;

/** What `culprit evaluate` prints. */
export const EVALUATION = jsonArtifact(
  "evaluation.json",
  "an evaluation of arms",
  z.strictObject({
    baseline: z.string(),
    controls: z.array(z.string()),
    variants: z.array(variantRatesSchema),
    measures: z.array(armMeasureSchema),
    /** What the reader must know: one seed only, prompts that arms do not share, missing verdicts. */
    notes: z.array(z.string()),
  }),
);
export type Evaluation = z.output<typeof EVALUATION.schema>;
