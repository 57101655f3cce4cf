/**
 * @file The experiment file: the only source of its settings, their defaults, units and descriptions. The TypeScript type, the JSON
 * Schema for editors (json-schema.ts) and the table in docs/experiments.md (settings-table.ts) are derived from it.
 */
import { z } from "zod";

import { DEVICES } from "../runtime/device.ts";
import { attributionSchema, behaviorSchema, editSchema } from "./schema-attribution.ts";
import { contradictions } from "./schema-contradictions.ts";
import {
  checkpointsSchema,
  pairsSchema,
  probeSchema,
  samplingSchema,
  scenariosSchema,
} from "./schema-inputs.ts";
import { judgeSchema } from "./schema-judge.ts";
import { count, path } from "./schema-primitives.ts";
import { steeringSchema } from "./schema-steering.ts";
import { evaluationSchema, trainingSchema } from "./schema-training.ts";

const engineSchema = z.strictObject({
  kind: z.literal("local").default("local").describe("Where the arithmetic runs."),
  device: z.enum(DEVICES).default("cpu").describe("Execution provider of ONNX Runtime."),
  threads: count
    .max(1024)
    .optional()
    .describe(
      "Threads of the arithmetic; absent: one for each core. Part of what results depend on.",
    ),
  batchTokens: count
    .optional()
    .describe("Tokens of one batch when embedding; absent: 1024. Less needs less memory."),
});

const costSchema = z.strictObject({
  pricePerHour: z
    .number()
    .min(0)
    .optional()
    .describe("Price of an hour of this machine; with it every stage's cost is also in money."),
  currency: z.string().min(1).default("USD").describe("What the price is in; for people."),
});

/** One experiment; paths are relative to the file that it was read from. */
export const experimentSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        error: "expected letters, digits, dots, dashes and underscores, 64 at most",
      })
      .describe("Name of the experiment, and of its folder under culprit-out/."),
    checkpoints: checkpointsSchema.describe("The checkpoint that everything starts from."),
    pairs: pairsSchema.describe("The preference pairs that it was or will be trained on."),
    training: trainingSchema
      .optional()
      .describe("How checkpoints are trained; needed to make the checkpoint after, and for edits."),
    scenarios: scenariosSchema
      .optional()
      .describe("Composes scenarios and splits them for probe and evaluation, instead of files."),
    probe: probeSchema
      .optional()
      .describe("Samples both checkpoints to find response pairs that show the behaviour."),
    responses: path
      .optional()
      .describe("Response pairs that show the behaviour, where you have them; instead of probe."),
    sampling: samplingSchema.prefault({}).describe("How responses are sampled."),
    judge: judgeSchema.optional().describe("What decides whether a response shows the behaviour."),
    behavior: behaviorSchema.describe("The behaviour vector."),
    attribution: attributionSchema.prefault({}).describe("Scoring and ranking of all pairs."),
    steering: steeringSchema
      .optional()
      .describe("Samples with the behaviour's direction added or projected out; absent: not done."),
    edits: z
      .array(editSchema)
      .default([])
      .describe("Arms: edits of the pairs, each trained on and measured beside its controls."),
    evaluation: evaluationSchema.optional().describe("How arms are measured; needed for edits."),
    engine: engineSchema.prefault({}).describe("The engine."),
    cost: costSchema.prefault({}).describe("What the costs are counted in."),
  })
  .superRefine((experiment, context) => {
    for (const { path: at, message } of contradictions(experiment)) {
      context.addIssue({ code: "custom", path: [...at], message });
    }
  })
  .describe("An experiment of culprit run.");

/** A valid experiment with its defaults filled in. */
export type Experiment = z.output<typeof experimentSchema>;
