/** @file What an audit says of two checkpoints and the pairs that the second is claimed to be trained on. Room membership finds it. */
import { z } from "zod";

import { groupedEstimateSchema } from "../stats/clustered-mean.ts";
import { correlationSchema } from "../stats/spearman.ts";
import { countSchema, countsSchema, type Plain } from "../util/artifact.ts";

/** How far log π₁ − log π₀ is from 0 for one side, in nats: the mean over responses of it, and of it divided by the response's tokens. */
const driftSchema = z.strictObject({
  perResponse: groupedEstimateSchema,
  perToken: groupedEstimateSchema,
});

const membershipFiguresSchema = z.strictObject({
  pairs: countSchema,
  /** Different prompts: the units of every interval. */
  prompts: countSchema,
  /** Share of the pairs with a margin above 0; equal sides count half. */
  accuracy: groupedEstimateSchema,
  /** The same by log-probabilities per token. */
  accuracyPerToken: groupedEstimateSchema,
  /** Mean margin, in nats. */
  margin: groupedEstimateSchema,
  chosen: driftSchema,
  rejected: driftSchema,
  /** Share of the pairs whose chosen response is less likely under M1 than under M0. */
  displaced: groupedEstimateSchema,
  /** Mean CHES of M0: of sums over tokens, and length-normalised. */
  ches: z.strictObject({ plain: groupedEstimateSchema, normalised: groupedEstimateSchema }),
});
/** What some pairs show. */
export type MembershipFigures = Plain<typeof membershipFiguresSchema>;

const membershipSideSchema = z.strictObject({
  /** Usable pairs of the files. */
  given: countSchema,
  /** Of the held-out pairs, those that are left out since a claimed pair has their prompt. */
  sharedPrompts: countSchema,
  /** Pairs that a checkpoint cannot read, by cause. */
  unread: countsSchema,
  figures: membershipFiguresSchema,
});
export type MembershipSide = Plain<typeof membershipSideSchema>;

/** How often a claimed pair is above a held-out one, prompts counted once by the mean of their pairs; 0.5: they are alike. */
const separationSchema = z.strictObject({
  value: z.number(),
  low: z.number(),
  high: z.number(),
});
export type Separation = Plain<typeof separationSchema>;

/** What the two kinds of pairs may differ in without any training. */
export const KIND_FEATURES = [
  "chosen length",
  "rejected length",
  "length difference",
  "chosen log-probability per token",
  "margin per token",
] as const;

const comparisonSchema = z.strictObject({
  /** Accuracy on the claimed pairs minus that on the held-out ones. */
  accuracy: groupedEstimateSchema,
  accuracyPerToken: groupedEstimateSchema,
  /** Of margins. */
  separation: separationSchema,
  separationPerToken: separationSchema,
  /** Of what M0 and the texts alone say: far from 0.5, the held-out pairs are of another kind. */
  kind: z.array(z.strictObject({ feature: z.enum(KIND_FEATURES), ...separationSchema.shape })),
});
export type MembershipComparison = Plain<typeof comparisonSchema>;

export const MEMBERSHIP_VERDICTS = ["trained", "swapped", "taste", "none", "unclear"] as const;

const checkpointSchema = z.strictObject({ name: z.string(), checkpointHash: z.string() });

export const membershipSchema = z.strictObject({
  before: checkpointSchema,
  after: checkpointSchema,
  claimed: membershipSideSchema,
  /** Absent: only the claimed side is known. */
  heldOut: membershipSideSchema.optional(),
  comparison: comparisonSchema.optional(),
  /** The kept column that counts as the source; absent where the claimed pairs have none. */
  by: z.string().optional(),
  /** By size; empty where the claimed pairs have no source. */
  sources: z.array(
    z.strictObject({
      source: z.string(),
      claimed: membershipFiguresSchema.optional(),
      heldOut: membershipFiguresSchema.optional(),
    }),
  ),
  /** Spearman's correlation of CHES with the drift of the chosen response over the claimed pairs; below 0, it foretells displacement. */
  displacement: z.strictObject({
    plain: correlationSchema.optional(),
    normalised: correlationSchema.optional(),
  }),
  verdict: z.strictObject({
    kind: z.enum(MEMBERSHIP_VERDICTS),
    /** With its figures and intervals. */
    sentence: z.string(),
  }),
  /** What must be known beside the verdict, one sentence each. */
  remarks: z.array(z.string()),
});
export type Membership = Plain<typeof membershipSchema>;
