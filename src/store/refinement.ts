/** @file What a store says of itself whose likeliest pairs alone were read exactly. */
import { z } from "zod";

import { PRECISIONS } from "../engine/precision.ts";
import { correlationSchema } from "../stats/spearman.ts";
import { countSchema } from "../util/artifact.ts";

const share = z.number().min(0).max(1);

export const topSchema = z.strictObject({
  behavior: z.string(),
  direction: z.string().describe("SHA-256 of the behaviour's direction at the layer."),
  layer: countSchema,
  pairs: countSchema.describe("Of the top that was to be the exact one."),
  missed: z
    .number()
    .min(0)
    .describe("Pairs of the exact top that were not read exactly, expected."),
  recall: share.describe("Share of the exact top that was, expected."),
  recallLow: share.describe("No less, at 95%."),
  correlation: correlationSchema
    .optional()
    .describe(
      "Spearman's, of first and exact scores of the sample; absent where they are all equal.",
    ),
});

export const auditSchema = z.strictObject({
  layer: countSchema,
  pairs: countSchema,
  medianCosine: z.number().describe("Of first and exact vectors."),
  worstCosine: z.number(),
  worseShare: share.describe("At most this share of all pairs is worse than the worst, at 95%."),
});

export const refinementSchema = z.strictObject({
  precision: z.enum(PRECISIONS).exclude(["F32"]).describe("How the others were read."),
  scorer: z.string(),
  recall: share.describe("The share of the exact top that was asked for."),
  seed: z.int(),
  exactPairs: countSchema.describe("Pairs that were read exactly, the sample included."),
  rounds: countSchema,
  audit: z.array(auditSchema).readonly().describe("The random sample, by layer."),
  tops: z.array(topSchema).readonly(),
});

/** How far a store whose likeliest pairs alone are exact can be trusted. */
export type Refinement = z.output<typeof refinementSchema>;
export type RefinedTop = Refinement["tops"][number];
