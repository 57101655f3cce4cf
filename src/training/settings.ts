/**
 * @file What a training run is told. Every setting that changes the result is here with its range, default and sentence; the verb `train`
 * takes its own from here. Where a run starts and writes is in TrainRequest.
 */
import { z } from "zod";

import type { EngineHost, EngineOptions } from "../engine/engine-host.ts";
import type { WeightDtype } from "../engine/trainer.ts";
import type { PlainInput } from "../util/artifact.ts";
import type { JobOptions } from "../util/progress.ts";
import {
  count,
  maxTokens,
  nonEmpty,
  nonNegative,
  positive,
  seed,
  whole,
} from "../util/setting-kinds.ts";

/** How the learning rate runs over the steps, after warm-up; transformers' formulas. */
export const SCHEDULES = ["linear", "cosine", "constant"] as const;
export type Schedule = (typeof SCHEDULES)[number];

/** Element types of written checkpoints. */
export const CHECKPOINT_DTYPES = ["F32", "BF16", "F16"] as const satisfies readonly WeightDtype[];
export type CheckpointDtype = (typeof CHECKPOINT_DTYPES)[number];

/** Low-rank factors beside the linear layers (Hu et al. 2021). */
export const loraSettings = z.strictObject({
  rank: count.default(16).describe("LoRA: rank of the factors."),
  alpha: positive
    .optional()
    .describe("LoRA: the factors' product is scaled by alpha / rank. Absent: twice the rank."),
  targets: z
    .array(nonEmpty)
    .min(1)
    .optional()
    .describe(
      "LoRA: ends of the paths of linear layers, q_proj say. Absent: all linear layers of the blocks.",
    ),
});

export const learningRate = positive.describe("The highest learning rate, reached after warm-up.");

/** Direct preference optimisation (Rafailov et al. 2023); the formula is in docs/how-to-train.md. */
export const ofDpo = {
  beta: positive
    .optional()
    .describe(
      "DPO: strength of the pull to the start checkpoint. Absent: 0.1, or 5 where length-normalized.",
    ),
  lengthNormalized: z
    .boolean()
    .default(false)
    .describe("DPO: divides each log-probability by its token count."),
  labelSmoothing: nonNegative
    .lt(0.5)
    .default(0)
    .describe("DPO: share of pairs taken to be the wrong way round."),
};

/** Supervised fine-tuning: cross-entropy, the mean over all tokens of a step that carry loss. */
export const ofSft = {
  lossOn: z
    .enum(["response", "all"])
    .optional()
    .describe(
      "SFT: tokens that carry loss; plain text has its loss on all. Absent: those of the response.",
    ),
};

/** Steps and optimiser (AdamW), of every method. */
export const ofSteps = {
  schedule: z
    .enum(SCHEDULES)
    .default("linear")
    .describe("How the learning rate runs after warm-up; linear and cosine end at 0."),
  warmupRatio: nonNegative
    .lt(1)
    .default(0.1)
    .describe("Share of the steps in which the learning rate rises."),
  warmupSteps: whole
    .optional()
    .describe("The same as a number of steps. Absent: as the share says."),
  epochs: count.default(1).describe("Passes over the data."),
  maxSteps: count
    .optional()
    .describe("Steps at most; the schedule ends there. Absent: all of the epochs."),
  batchSize: count
    .default(32)
    .describe("Examples of one step of the optimiser; pairs, where pairs are trained on."),
  maxTokens,
  weightDecay: nonNegative.default(0).describe("Decoupled weight decay, not on norms and biases."),
  maxGradNorm: nonNegative
    .default(1)
    .describe("Longer gradients are shortened to this norm; 0 leaves them."),
  seed: seed.default(0).describe("Order of the examples and start of LoRA's factors."),
};

/** What scripts may set beside; commands leave these at their defaults. */
const ofScripts = {
  adaptation: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("full") }),
      loraSettings.extend({ kind: z.literal("lora") }),
    ])
    .default({ kind: "full" })
    .describe("What is trained: every weight, or low-rank factors."),
  beta1: nonNegative.lt(1).default(0.9).describe("AdamW's, as beta2 and epsilon are."),
  beta2: nonNegative.lt(1).default(0.999),
  epsilon: positive.default(1e-8),
  shuffle: z.boolean().default(true).describe("False takes the examples in the order given."),
};

export const trainSettings = z.object({ learningRate, ...ofSteps, ...ofScripts });
export const dpoSettings = trainSettings.extend(ofDpo);
export const sftSettings = trainSettings.extend(ofSft);

/** What every method takes. */
export type TrainSettings = PlainInput<typeof trainSettings>;
export type DpoSettings = PlainInput<typeof dpoSettings>;
export type SftSettings = PlainInput<typeof sftSettings>;

/** Where a run starts from and what it leaves behind. */
export interface TrainRequest extends JobOptions {
  /** The start: a Hugging Face folder, or hf://owner/name@revision. */
  readonly checkpoint: string;
  /** Folder of the run: the final checkpoint (or PEFT adapter), metrics.jsonl and train.json; made where it is not there. */
  readonly out: string;
  /** Where it is trained. Default: on this machine. */
  readonly host?: EngineHost | undefined;
  /** `adapter` is merged before training; `weights` is not heeded. `batchTokens` bounds one run of the graph. */
  readonly engine?: EngineOptions | undefined;
  /** Of the written weights. Default "F32". */
  readonly dtype?: CheckpointDtype | undefined;
  /** Examples to train on, or their share of all, drawn by the seed. Default: all. */
  readonly sample?: { readonly count: number } | { readonly share: number } | undefined;
  /** Steps between checkpoints on the way, `out`/checkpoint-<step>. Default: none, or with `keepStates` one an epoch. */
  readonly saveEvery?: number | undefined;
  /** How many of these stay. Default: all. */
  readonly keep?: number | undefined;
  /** Keeps moments beside the weights of these, and of the last step: for gradients along the run. Default false. */
  readonly keepStates?: boolean | undefined;
  /** Steps between states to resume from. Default: as often as costs at most 1% of the time. */
  readonly stateEvery?: number | undefined;
  /** Folder in which reference log-probabilities are kept by content. Default: `out`/reference-cache. */
  readonly referenceCache?: string | undefined;
  /** Replaces another run in `out`. Default false: refused. */
  readonly force?: boolean | undefined;
}
