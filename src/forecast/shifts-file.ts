/** @file How far training moved each behaviour, as one file: what a forecast is scored by. */
import { z } from "zod";

import { checkpointSchema } from "../store/vector-store-manifest.ts";
import { countSchema, countsSchema, jsonArtifact, type Plain } from "../util/artifact.ts";

/**
 * How a shift is measured. `margin`: log-probability of the after-response less that of the before-response, in nats, by M1 less by M0;
 * `per-token`: the same of log-probabilities divided by their tokens; `projection`: rollouts of M1 less those of M0, both read on M0, along the behaviour's direction.
 */
export const MEASURES = ["margin", "per-token", "projection"] as const;
export type Measure = (typeof MEASURES)[number];

export const measuredShiftSchema = z.strictObject({
  /** Mean on M0 and on M1; of projections of M0's and M1's rollouts. */
  before: z.number(),
  after: z.number(),
  /** after - before. */
  shift: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
  /** Response pairs, or prompts with rollouts of both. */
  items: countSchema,
  /** Independent ones: groups of items of one prompt or request. */
  groups: countSchema,
});
export type MeasuredShift = Plain<typeof measuredShiftSchema>;

const shiftedBehaviorSchema = z.strictObject({
  name: z.string(),
  margin: measuredShiftSchema.optional(),
  "per-token": measuredShiftSchema.optional(),
  projection: measuredShiftSchema.optional(),
  /** Mean tokens of the after-responses less those of the before-responses; with `margin`. */
  tokens: z.number().optional(),
  /** SHA-256 of the files of response pairs; with `margin`. */
  responses: z.array(z.string()).optional(),
  /** Response pairs that cannot be compared, or that a checkpoint cannot read. */
  unusable: countSchema,
  /** The same by cause; absent where there are none. */
  causes: countsSchema.optional(),
});
export type ShiftedBehavior = Plain<typeof shiftedBehaviorSchema>;

const schema = z.strictObject({
  format: z.literal("culprit-shifts"),
  version: z.literal(1),
  /** The checkpoint before training. */
  checkpoint: checkpointSchema,
  trained: z.strictObject({ name: z.string(), checkpointHash: z.string() }),
  /** What the trained checkpoint says of its training; absent where it says nothing. */
  training: z
    .strictObject({
      startHash: z.string(),
      /** SHA-256 of the data files. */
      files: z.array(z.string()),
      /** Rows of the data, unusable ones included. */
      rows: countSchema,
    })
    .optional(),
  /** Of `projection`. */
  layer: countSchema.optional(),
  behaviors: z.array(shiftedBehaviorSchema).min(1),
});
export type Shifts = Plain<typeof schema>;

export const SHIFTS = jsonArtifact("shifts.json", "what culprit shifts wrote", schema, {
  hint: "Is this the file that culprit shifts wrote, by a version of culprit like this one?",
});
