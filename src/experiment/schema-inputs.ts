/** @file Settings of the experiment file: what goes in, and how responses are sampled and judged. */
import { z } from "zod";

import { PAIR_SHAPES } from "../pairs/shapes/shapes.ts";
import { BUILT_IN_POOL } from "../rollouts/constraints.ts";
import { endpointSchema } from "./schema-judge.ts";
import { count, path, seed } from "./schema-primitives.ts";

export const checkpointsSchema = z.strictObject({
  before: path.describe(
    "The checkpoint before preference training (M0): a Hugging Face folder, or hf://owner/name@revision.",
  ),
  after: path
    .optional()
    .describe(
      "A checkpoint after preference training (M1) that you have; absent: the one that this experiment trains on all pairs with its first seed.",
    ),
  template: z
    .enum(["chat", "raw"])
    .default("chat")
    .describe("chat: the checkpoint's own chat template. raw: the turns joined by newlines."),
});

export const pairsSchema = z.strictObject({
  files: z
    .array(path)
    .min(1)
    .describe("Files of preference pairs; globs and hf://datasets/owner/name/path too."),
  shape: z
    .enum(PAIR_SHAPES)
    .optional()
    .describe("How the rows are laid out; absent: detected from the rows."),
  source: z
    .string()
    .min(1)
    .optional()
    .describe("Column that says where a pair comes from; absent: source, dataset or the like."),
  keep: z
    .array(z.string().min(1))
    .optional()
    .describe("Further columns that travel with the pairs; absent: generators and short columns."),
  limit: count.optional().describe("Reads the first rows only; absent: all."),
  planted: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Column that is true for pairs known to cause the behaviour (a model organism); the method never sees it, the ranking is held to it.",
    ),
});

export const scenariosSchema = z.strictObject({
  bases: z
    .array(path)
    .min(1)
    .describe("Files of requests: rows {prompt} or {base}, preference pairs, or lines of a .txt."),
  limit: count.optional().describe("Reads the first rows only; absent: all."),
  constraints: z
    .array(path)
    .min(1)
    .default([BUILT_IN_POOL])
    .describe(`Files of formatting constraints {id, text}; ${BUILT_IN_POOL}: those that ship.`),
  only: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("These constraints only: ids, or beginnings of ids such as a family; absent: all."),
  perBase: count.default(1).describe("Constraints that each request gets, a scenario each."),
  probeShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.5)
    .describe("Share of the requests that goes to the probe; the rest is for the evaluation."),
  seed: seed.default(0).describe("Seed of drawing and splitting."),
});

export const probeSchema = z.strictObject({
  scenarios: path
    .optional()
    .describe("Scenarios to look for the behaviour in; absent: the probe's half of scenarios."),
  rollouts: count
    .default(20)
    .describe("Responses sampled for each scenario, variant and checkpoint."),
  plain: z
    .string()
    .min(1)
    .default("base")
    .describe("The variant in which neither checkpoint may show the behaviour."),
  trigger: z
    .string()
    .min(1)
    .default("base+distractor")
    .describe("The variant in which the checkpoint after must show it, the one before not."),
  minJudged: count
    .optional()
    .describe(
      "Judged rollouts each condition needs; absent: all where none may show it, and one that does where it must.",
    ),
  amplify: z
    .number()
    .min(-1000)
    .max(1000)
    .optional()
    .describe(
      "Model-diff amplification: the checkpoint after is sampled from logits_after + amplify x (logits_after - logits_before), to find rare behaviour. These rollouts say nothing of its rates. Absent: its own logits.",
    ),
  maxPairs: count.optional().describe("Response pairs of one scenario at most; absent: all."),
});

export const samplingSchema = z.strictObject({
  temperature: z
    .number()
    .min(0)
    .default(0.7)
    .describe("Logits are divided by it; 0 takes the likeliest token each time."),
  topK: count.optional().describe("Samples from the k likeliest tokens only; absent: all."),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("Samples from the likeliest tokens that together have this probability only."),
  maxTokens: count.default(256).describe("Tokens of one response, at most."),
  seed: seed.default(0).describe("Seed of the sampling."),
  batch: count
    .default(32)
    .describe(
      "Responses that are sampled side by side. Rounding differs with it, so it is part of what results depend on.",
    ),
  endpoints: z
    .strictObject({
      before: endpointSchema
        .optional()
        .describe("Where the checkpoint before is served; absent: sampled on this machine."),
      after: endpointSchema
        .optional()
        .describe("Where the checkpoint after is served; absent: sampled on this machine."),
    })
    .optional()
    .describe(
      "Samples the given checkpoints at endpoints; activations are read here all the same.",
    ),
});
