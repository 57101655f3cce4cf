import { z } from "zod";

import { CHECKPOINT_DTYPES, SCHEDULES } from "../../training/settings.ts";
import { count, maxTokens, nonNegative, positive, seed, nonEmpty, whole } from "./common.ts";

const loraSettings = z.strictObject({
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

/** How a checkpoint is trained. */
export const trainingSettings = z.strictObject({
  method: z
    .enum(["dpo", "sft"])
    .default("dpo")
    .describe("Direct preference optimisation, or supervised fine-tuning."),
  learningRate: positive.describe("The highest learning rate, reached after warm-up."),
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
  lossOn: z
    .enum(["response", "all"])
    .optional()
    .describe(
      "SFT: tokens that carry loss; plain text has its loss on all. Absent: those of the response.",
    ),
  lora: loraSettings
    .optional()
    .describe("Trains low-rank factors, an adapter, instead of every weight."),
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
  batchTokens: count
    .optional()
    .describe(
      "Tokens of one run of the training graph, at most; less needs less memory and differs by rounding only. Absent: 1024.",
    ),
  maxTokens,
  weightDecay: nonNegative.default(0).describe("Decoupled weight decay, not on norms and biases."),
  maxGradNorm: nonNegative
    .default(1)
    .describe("Longer gradients are shortened to this norm; 0 leaves them."),
  seed: seed.default(0).describe("Order of the examples and start of LoRA's factors."),
  dtype: z.enum(CHECKPOINT_DTYPES).default("F32").describe("How weights are written."),
  saveEvery: count
    .optional()
    .describe("Steps between checkpoints on the way, OUT/checkpoint-N. Absent: there are none."),
  keepCheckpoints: count.optional().describe("How many of these stay, the latest. Absent: all."),
  stateEvery: count.optional().meta({
    description: "Steps between states to resume from. Absent: as often as costs 1% of the time.",
    counts: false,
  }),
});
