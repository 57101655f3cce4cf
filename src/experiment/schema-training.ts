/** @file Settings of the experiment file: training, and how its outcome is measured. */
import { z } from "zod";

import { SCHEDULES } from "../training/settings.ts";
import { count, path, seed } from "./schema-primitives.ts";

const loraSchema = z.strictObject({
  rank: count.default(16).describe("Rank of the factors."),
  alpha: z
    .number()
    .gt(0)
    .optional()
    .describe("Their product is scaled by alpha / rank; absent: twice the rank."),
  targets: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Ends of module paths, q_proj say; absent: every linear layer of the blocks."),
});

export const trainingSchema = z.strictObject({
  method: z.literal("dpo").default("dpo").describe("Direct preference optimisation."),
  beta: z
    .number()
    .gt(0)
    .optional()
    .describe(
      "Strength of the pull to the checkpoint before; absent: 0.1, or 5 where length-normalised.",
    ),
  lengthNormalized: z
    .boolean()
    .default(false)
    .describe("Divides each log-probability by its token count."),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(0.5)
    .default(0)
    .describe("Share of pairs taken to be the wrong way round."),
  lora: loraSchema.optional().describe("Trains low-rank factors; absent: every weight."),
  learningRate: z.number().gt(0).describe("The highest, reached after warm-up."),
  schedule: z.enum(SCHEDULES).default("linear").describe("How the learning rate falls."),
  warmupRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Share of the steps in which it rises."),
  epochs: count.default(1).describe("Passes over the pairs."),
  maxSteps: count.optional().describe("Ends the training early; absent: all epochs."),
  batchSize: count.default(32).describe("Pairs of one step of the optimiser."),
  batchTokens: count
    .optional()
    .describe("Tokens of one run of the training graph; absent: the trainer's own choice."),
  maxTokens: z
    .int()
    .min(2)
    .optional()
    .describe("Prompt and response together; absent: 2048 or the checkpoint's positions."),
  weightDecay: z.number().min(0).default(0).describe("Decoupled weight decay."),
  maxGradNorm: z
    .number()
    .min(0)
    .default(1)
    .describe("Longer gradients are shortened to this; 0 leaves them."),
  seeds: z
    .array(seed)
    .min(1)
    .refine((seeds) => new Set(seeds).size === seeds.length, { error: "expected each seed once" })
    .default([1])
    .describe("Every arm is trained once with each; intervals over seeds need three or more."),
});

const capabilitiesSchema = z.strictObject({
  pairs: path
    .optional()
    .describe("Held-out preference pairs: how often the chosen side is the likelier one."),
  answers: path
    .optional()
    .describe("Held-out good answers {prompt, response}: their log-likelihood per token."),
  tasks: path
    .optional()
    .describe("Tasks {prompt, pattern}: how often the likeliest response matches the pattern."),
  overRefusal: path
    .optional()
    .describe(
      "Harmless requests {prompt, pattern}, the pattern that of a refusal: how often the likeliest response matches. Lower is better.",
    ),
});

export const evaluationSchema = z.strictObject({
  scenarios: path
    .optional()
    .describe(
      "Scenarios to measure the arms in; none of the requests of probe.scenarios may be among them. Absent: the evaluation's half of scenarios.",
    ),
  rollouts: count
    .default(20)
    .describe("Responses sampled for each scenario, variant and checkpoint."),
  variants: z
    .array(z.string().min(1))
    .min(1)
    .default(["base", "base+distractor"])
    .describe("Variants to sample."),
  trigger: z
    .string()
    .min(1)
    .default("base+distractor")
    .describe("The variant whose rate the arms are compared by."),
  replicates: count.max(100_000).default(2000).describe("Bootstrap replicates of the intervals."),
  seed: seed.default(0).describe("Seed of the bootstrap."),
  capabilities: capabilitiesSchema.prefault({}).describe("What must not get worse."),
});
