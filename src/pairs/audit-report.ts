import { z } from "zod";

import { shareSchema } from "../stats/wilson.ts";
import { countSchema, jsonArtifact, type Plain } from "../util/artifact.ts";
import { membershipSchema } from "./audit-membership.ts";
import { dataFileSchema } from "./open-pairs.ts";
import { unusableRowSchema } from "./preference-pair.ts";
import { PAIR_SHAPES } from "./shapes/shapes.ts";
import { unusableSummarySchema } from "./unusable-file.ts";

/** The lengths of one side over many pairs. */
const lengthSummarySchema = z.strictObject({
  mean: z.number(),
  median: z.number(),
  p90: z.number(),
});
export type LengthSummary = Plain<typeof lengthSummarySchema>;

/** Chosen against rejected responses in one unit; all turns of a response count, the prompt does not. */
const lengthComparisonSchema = z.strictObject({
  /** Characters are UTF-16 code units; words see text-measures.ts; tokens are the checkpoint's. */
  unit: z.enum(["characters", "words", "tokens"]),
  pairs: countSchema,
  chosen: lengthSummarySchema,
  rejected: lengthSummarySchema,
  /** Pairs whose longer side is the chosen one, of those whose sides differ in length. */
  longerChosen: shareSchema,
  /** Pairs with sides of equal length. */
  ties: countSchema,
});
export type LengthComparison = Plain<typeof lengthComparisonSchema>;

/** The pairs of one source. */
const sourceRowSchema = z.strictObject({
  /** null: pairs without a source. */
  source: z.string().nullable(),
  pairs: countSchema,
  /** Of all usable pairs. */
  share: z.number(),
  /** In characters. */
  lengths: lengthComparisonSchema,
  nearIdentical: countSchema,
});
export type SourceRow = Plain<typeof sourceRowSchema>;

/** One model that wrote responses. */
const generatorRowSchema = z.strictObject({
  generator: z.string(),
  /** Pairs in which it wrote the chosen, and the rejected side. */
  chosen: countSchema,
  rejected: countSchema,
  /** Of all sides whose writer is known. */
  share: z.number(),
  /** How often its side is the chosen one, of the pairs whose other side it did not write as well. */
  wins: shareSchema,
});
export type GeneratorRow = Plain<typeof generatorRowSchema>;

const duplicateReportSchema = z.strictObject({
  /** Rows that repeat an earlier pair: same prompt, same chosen, same rejected. */
  repeatedPairs: countSchema,
  /** Rows whose own id an earlier row has: they are called ID#2, ID#3, …. */
  repeatedIds: countSchema,
  /** Rows whose prompt some other row has too, and the number of such prompts. */
  sharedPromptRows: countSchema,
  sharedPrompts: countSchema,
  /** Pairs of responses to one prompt that occur with chosen and rejected swapped, and the rows that do so. */
  contradictions: countSchema,
  contradictoryRows: countSchema,
  /** Row numbers of the first contradictions, at most 10. */
  contradictionExamples: z.array(z.array(countSchema)),
});
export type DuplicateReport = Plain<typeof duplicateReportSchema>;

const nearIdenticalReportSchema = z.strictObject({
  /** Sides count as near-identical from this word overlap on; see wordOverlap. */
  threshold: z.number(),
  pairs: countSchema,
  /** Row numbers of the first ones, at most 10. */
  examples: z.array(countSchema),
});

const truncationReportSchema = z.strictObject({
  maxTokens: countSchema,
  /** "estimate": 4 characters a token, for lack of a tokenizer. */
  basis: z.enum(["tokens", "estimate"]),
  /** Pairs whose prompt alone fills the limit: they will be unusable. */
  promptTooLong: shareSchema,
  /** Other pairs of which at least one response is cut. */
  responseCut: shareSchema,
});
export type TruncationReport = Plain<typeof truncationReportSchema>;

const turnReportSchema = z.strictObject({
  /** Pairs by the number of their prompt's turns, system turns not counted; ascending. */
  promptTurns: z.array(z.strictObject({ turns: countSchema, pairs: countSchema })),
  withSystem: shareSchema,
  /** Pairs with a side of more than one turn. */
  longResponses: countSchema,
});
export type TurnReport = Plain<typeof turnReportSchema>;

const namedCountSchema = z.strictObject({ name: z.string(), pairs: countSchema });
export type NamedCount = Plain<typeof namedCountSchema>;

const besideReportSchema = z.strictObject({
  /** What rows say beside roles and texts: tools, calls, reasoning, template variables; by number of pairs. */
  said: z.array(namedCountSchema),
  /** Keys that label turns and are passed over. */
  labels: z.array(namedCountSchema),
  /** Columns that are neither read nor kept. */
  columnsNotRead: z.array(z.string()),
});
export type BesideReport = Plain<typeof besideReportSchema>;

const tokenReportSchema = z.strictObject({
  /** Pairs that were tokenised. */
  pairs: countSchema,
  /** Pairs that say what the template does not show; see `unread`. */
  unreadPairs: countSchema,
  /** Pairs whose response begins before the end of the rendered prompt, and the prompt tokens that are lost so. */
  merged: countSchema,
  lostPromptTokens: countSchema,
  /** Pairs whose prompt holds the template's own marks. */
  marked: countSchema,
  /** What rows say and the template does not show; by number of pairs. */
  unread: z.array(namedCountSchema),
  /** What it looks at and shows in part or not at all. */
  hidden: z.strictObject({ pairs: countSchema, names: z.array(namedCountSchema) }),
});
export type TokenReport = Plain<typeof tokenReportSchema>;

const scoreReportSchema = z.strictObject({
  chosen: z.string(),
  rejected: z.string(),
  /** Pairs with a number in both columns. */
  pairs: countSchema,
  /** Of these, with the same number. */
  ties: countSchema,
  /** Of these, where the chosen side has the lower number. */
  lower: countSchema,
});
export type ScoreReport = Plain<typeof scoreReportSchema>;

/** What `auditPairs` finds; plain data, written as JSON by `culprit audit --out`. */
export const AUDIT = jsonArtifact(
  "audit.json",
  "the audit of preference pairs",
  z.strictObject({
    culpritVersion: z.string(),
    files: z.array(dataFileSchema),
    shape: z.enum(PAIR_SHAPES),
    shapeReason: z.string(),
    columns: z.array(z.string()),
    contentHash: z.string(),
    rows: countSchema,
    usable: countSchema,
    unusable: unusableSummarySchema,
    /** The first unusable rows, at most 5. */
    unusableExamples: z.array(unusableRowSchema),
    /** Empty where no pair is usable. */
    lengths: z.array(lengthComparisonSchema),
    /** By size; empty where the data have no source column. */
    sources: z.array(sourceRowSchema),
    /** By number of sides; empty where the data do not name the generators. */
    generators: z.array(generatorRowSchema),
    duplicates: duplicateReportSchema,
    nearIdentical: nearIdenticalReportSchema,
    /** Absent where no limit was given. */
    truncation: truncationReportSchema.optional(),
    /** Pairs that the tokeniser's template refuses; 0 where no tokens were counted. */
    unrenderable: countSchema,
    /** In which words, the commonest first, at most 5. */
    refusals: z.array(namedCountSchema),
    turns: turnReportSchema,
    beside: besideReportSchema,
    /** Absent where no tokens were counted. */
    tokens: tokenReportSchema.optional(),
    /** Empty where no two columns give either side a number. */
    scores: z.array(scoreReportSchema),
    /** Pairs by the Unicode script of most letters of the chosen response; by size. */
    scripts: z.array(z.strictObject({ script: z.string(), pairs: countSchema })),
    /** Absent where no two checkpoints were given. */
    membership: membershipSchema.optional(),
    /** What looks dangerous, one sentence each. */
    warnings: z.array(z.string()),
  }),
);
export type AuditReport = z.output<typeof AUDIT.schema>;
