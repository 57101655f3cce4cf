import { z } from "zod";

import type { Share } from "../stats/wilson.ts";
import { jsonArtifact } from "../util/artifact.ts";
import type { DataFile } from "./open-pairs.ts";
import type { UnusableRow } from "./preference-pair.ts";
import type { PairShape } from "./shapes/shapes.ts";
import type { UnusableSummary } from "./unusable-file.ts";

export type { Share } from "../stats/wilson.ts";

/** The lengths of one side over many pairs. */
export interface LengthSummary {
  readonly mean: number;
  readonly median: number;
  readonly p90: number;
}

/** Chosen against rejected responses in one unit; all turns of a response count, the prompt does not. */
export interface LengthComparison {
  /** Characters are UTF-16 code units; words see text-measures.ts; tokens are the checkpoint's. */
  readonly unit: "characters" | "words" | "tokens";
  readonly pairs: number;
  readonly chosen: LengthSummary;
  readonly rejected: LengthSummary;
  /** Pairs whose longer side is the chosen one, of those whose sides differ in length. */
  readonly longerChosen: Share;
  /** Pairs with sides of equal length. */
  readonly ties: number;
}

/** The pairs of one source. */
export interface SourceRow {
  /** null: pairs without a source. */
  readonly source: string | null;
  readonly pairs: number;
  /** Of all usable pairs. */
  readonly share: number;
  /** In characters. */
  readonly lengths: LengthComparison;
  readonly nearIdentical: number;
}

/** One model that wrote responses. */
export interface GeneratorRow {
  readonly generator: string;
  /** Pairs in which it wrote the chosen, and the rejected side. */
  readonly chosen: number;
  readonly rejected: number;
  /** Of all sides whose writer is known. */
  readonly share: number;
  /** How often its side is the chosen one, of the pairs whose other side it did not write as well. */
  readonly wins: Share;
}

export interface DuplicateReport {
  /** Rows that repeat an earlier pair: same prompt, same chosen, same rejected. */
  readonly repeatedPairs: number;
  /** Rows whose prompt some other row has too, and the number of such prompts. */
  readonly sharedPromptRows: number;
  readonly sharedPrompts: number;
  /** Pairs of responses to one prompt that occur with chosen and rejected swapped, and the rows that do so. */
  readonly contradictions: number;
  readonly contradictoryRows: number;
  /** Row numbers of the first contradictions, at most 10. */
  readonly contradictionExamples: readonly (readonly number[])[];
}

export interface NearIdenticalReport {
  /** Sides count as near-identical from this word overlap on; see wordOverlap. */
  readonly threshold: number;
  readonly pairs: number;
  /** Row numbers of the first ones, at most 10. */
  readonly examples: readonly number[];
}

export interface TruncationReport {
  readonly maxTokens: number;
  /** "estimate": 4 characters a token, for lack of a tokenizer. */
  readonly basis: "tokens" | "estimate";
  /** Pairs whose prompt alone fills the limit: they will be unusable. */
  readonly promptTooLong: Share;
  /** Other pairs of which at least one response is cut. */
  readonly responseCut: Share;
}

export interface TurnReport {
  /** Pairs by the number of their prompt's turns, system turns not counted; ascending. */
  readonly promptTurns: readonly { readonly turns: number; readonly pairs: number }[];
  readonly withSystem: Share;
  /** Pairs with a side of more than one turn. */
  readonly longResponses: number;
}

/** What `auditPairs` finds; plain data, written as JSON by `culprit audit --out`. */
export interface AuditReport {
  readonly culpritVersion: string;
  readonly files: readonly DataFile[];
  readonly shape: PairShape;
  readonly shapeReason: string;
  readonly columns: readonly string[];
  readonly contentHash: string;
  readonly rows: number;
  readonly usable: number;
  readonly unusable: UnusableSummary;
  /** The first unusable rows, at most 5. */
  readonly unusableExamples: readonly UnusableRow[];
  /** Empty where no pair is usable. */
  readonly lengths: readonly LengthComparison[];
  /** By size; empty where the data have no source column. */
  readonly sources: readonly SourceRow[];
  /** By number of sides; empty where the data do not name the generators. */
  readonly generators: readonly GeneratorRow[];
  readonly duplicates: DuplicateReport;
  readonly nearIdentical: NearIdenticalReport;
  /** Absent where no limit was given. */
  readonly truncation?: TruncationReport | undefined;
  /** Pairs that the tokeniser's template refuses; 0 where no tokens were counted. */
  readonly unrenderable: number;
  readonly turns: TurnReport;
  /** Pairs by the Unicode script of most letters of the chosen response; by size. */
  readonly scripts: readonly { readonly script: string; readonly pairs: number }[];
  /** What looks dangerous, one sentence each. */
  readonly warnings: readonly string[];
}

/** What `auditPairs` finds, as a file. */
export const AUDIT = jsonArtifact(
  "audit.json",
  "the audit of preference pairs",
  z.custom<AuditReport>(
    (value) => typeof value === "object" && value !== null && "usable" in value,
  ),
);
