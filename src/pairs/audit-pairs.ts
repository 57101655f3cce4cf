import { ConfigError } from "../util/errors.ts";
import { type JobOptions, silentProgress } from "../util/progress.ts";
import { VERSION } from "../util/version.ts";
import { createBesideCounter, createTokenCounter } from "./audit-beside.ts";
import { createDuplicateFinder } from "./audit-duplicates.ts";
import { createGeneratorTable, createSourceTable } from "./audit-groups.ts";
import { compareLengths } from "./audit-lengths.ts";
import type { AuditReport, LengthComparison } from "./audit-report.ts";
import { createScoreCounter } from "./audit-scores.ts";
import { createTruncationCounter, type TokenCounts } from "./audit-truncation.ts";
import { createTurnCounter } from "./audit-turns.ts";
import { listWarnings } from "./audit-warnings.ts";
import { describeTexts } from "./describe-marks.ts";
import { createNumberColumn, type NumberColumn } from "./number-column.ts";
import type { PairSet } from "./open-pairs.ts";
import type { PreferencePair, UnusableRow } from "./preference-pair.ts";
import { createRefusalCounter } from "./refusal-counts.ts";
import { SHAPES } from "./shapes/shapes.ts";
import { dominantScript, responseText, splitWords, wordOverlap } from "./text-measures.ts";
import { createReasonCounter } from "./unusable-file.ts";

/** From this word overlap on, what differs is a word in twenty or so, and v_d is mostly noise. */
export const NEAR_IDENTICAL_OVERLAP = 0.95;
const MAX_UNUSABLE_EXAMPLES = 5;
const MAX_EXAMPLES = 10;
const PROGRESS_EVERY = 256;

/** Why a pair cannot be embedded with a checkpoint. */
export interface Refusal {
  readonly refusal: string;
}

export interface AuditOptions extends JobOptions {
  /** Counts a pair's tokens as it will be embedded; of a pair that cannot be, why not. */
  readonly countTokens?: ((pair: PreferencePair) => TokenCounts | Refusal) | undefined;
  /** Names what a pair says and the checkpoint's template does not show; default: nothing. */
  readonly findUnread?: ((pair: PreferencePair) => readonly string[]) | undefined;
  /** How the checkpoint that counts tokens reads rows; default: unknown. */
  readonly template?: "chat" | "raw" | undefined;
  /** The limit on prompt and response together; with no `countTokens`, tokens are estimated for it. */
  readonly maxTokens?: number | undefined;
  /** Is given each unusable row; awaited. */
  readonly onUnusable?: ((row: UnusableRow) => Promise<void>) | undefined;
}

/**
 * Reads a data set once and reports what is in it: rows, sources, generators, duplicates, lengths, truncation, turns and
 * scripts, with warnings. Memory: the ids, and about 100 bytes a pair. Throws what reading throws.
 */
export async function auditPairs(pairs: PairSet, options: AuditOptions = {}): Promise<AuditReport> {
  const { progress = silentProgress, signal, maxTokens } = options;
  if (maxTokens !== undefined && !(Number.isSafeInteger(maxTokens) && maxTokens >= 1)) {
    throw new ConfigError(`maxTokens: expected a whole number of at least 1, got ${maxTokens}`);
  }
  const tally = createTally(pairs, options);
  const unusable = createReasonCounter();
  const examples: UnusableRow[] = [];
  let rows = 0;
  try {
    for await (const row of pairs.read({ signal })) {
      if (++rows % PROGRESS_EVERY === 0) progress.update(rows, undefined);
      if (row.kind === "pair") {
        tally.add(row);
        continue;
      }
      unusable.add(row);
      if (examples.length < MAX_UNUSABLE_EXAMPLES) examples.push(row);
      await options.onUnusable?.(row);
    }
    progress.update(rows, rows);
  } finally {
    progress.end();
  }
  const { files, shape, shapeReason, columns, contentHash } = pairs;
  const report = {
    culpritVersion: VERSION,
    files,
    shape,
    shapeReason,
    columns,
    contentHash,
    rows,
    unusable: unusable.summary(),
    unusableExamples: examples,
    ...tally.report(),
  };
  const warnings = [...listWarnings(report), ...describeTexts(shape, options.template)];
  return { ...report, warnings };
}

type Tallied = Omit<
  AuditReport,
  | "culpritVersion"
  | "files"
  | "shape"
  | "shapeReason"
  | "columns"
  | "contentHash"
  | "rows"
  | "unusable"
  | "unusableExamples"
  | "membership"
  | "warnings"
>;

/** Everything that is counted over usable pairs. */
function createTally(
  pairs: PairSet,
  { countTokens, findUnread = () => [], maxTokens }: AuditOptions,
): { add(pair: PreferencePair): void; report(): Tallied } {
  const characters = createSides();
  const words = createSides();
  const tokens = createSides();
  const sources = createSourceTable();
  const generators = createGeneratorTable();
  const duplicates = createDuplicateFinder();
  const turns = createTurnCounter();
  const beside = createBesideCounter(pairs.columnsNotRead);
  const scores = createScoreCounter(SHAPES[pairs.shape].swap(pairs.columns));
  const tokenized = countTokens === undefined ? undefined : createTokenCounter(findUnread);
  const truncation =
    maxTokens === undefined
      ? undefined
      : createTruncationCounter(maxTokens, countTokens !== undefined);
  const scripts = new Map<string, number>();
  const nearIdentical: number[] = [];
  let near = 0;
  let usable = 0;
  const refusals = createRefusalCounter();
  return {
    add(pair) {
      usable++;
      const texts = [responseText(pair.chosen), responseText(pair.rejected)] as const;
      const split = [splitWords(texts[0]), splitWords(texts[1])] as const;
      characters.push(texts[0].length, texts[1].length);
      words.push(split[0].length, split[1].length);
      const isNear = wordOverlap(...split, NEAR_IDENTICAL_OVERLAP) >= NEAR_IDENTICAL_OVERLAP;
      if (isNear && ++near <= MAX_EXAMPLES) nearIdentical.push(pair.row);
      const read = countTokens?.(pair);
      const refusal = read !== undefined && "refusal" in read ? read.refusal : undefined;
      const counts = read === undefined || "refusal" in read ? undefined : read;
      const isUnread = tokenized?.add(pair, counts) ?? false;
      if (refusal !== undefined && !isUnread) refusals.add(refusal);
      if (counts !== undefined) tokens.push(counts.chosen, counts.rejected);
      truncation?.add(pair, counts);
      sources.add(pair, isNear);
      generators.add(pair);
      duplicates.add(pair);
      turns.add(pair);
      beside.add(pair);
      scores.add(pair);
      const script = dominantScript(texts[0]);
      scripts.set(script, (scripts.get(script) ?? 0) + 1);
    },
    report: () => ({
      usable,
      lengths: [
        ...characters.compare("characters"),
        ...words.compare("words"),
        ...tokens.compare("tokens"),
      ],
      sources: pairs.columns.includes("source")
        ? sources.report("characters", characters.values())
        : [],
      generators: generators.report(),
      duplicates: duplicates.report(),
      nearIdentical: { threshold: NEAR_IDENTICAL_OVERLAP, pairs: near, examples: nearIdentical },
      truncation: truncation?.report(),
      ...refusals.report(),
      turns: turns.report(),
      beside: beside.report(),
      tokens: tokenized?.report(),
      scores: scores.report(),
      scripts: [...scripts]
        .map(([script, count]) => ({ script, pairs: count }))
        .toSorted((a, b) => b.pairs - a.pairs),
    }),
  };
}

interface Sides {
  push(chosen: number, rejected: number): void;
  values(): { readonly chosen: Float64Array; readonly rejected: Float64Array };
  /** One comparison, or none where nothing was pushed. */
  compare(unit: LengthComparison["unit"]): LengthComparison[];
}

function createSides(): Sides {
  const [chosen, rejected]: [NumberColumn, NumberColumn] = [
    createNumberColumn(),
    createNumberColumn(),
  ];
  const values: Sides["values"] = () => ({ chosen: chosen.values(), rejected: rejected.values() });
  return {
    push(chosenLength, rejectedLength) {
      chosen.push(chosenLength);
      rejected.push(rejectedLength);
    },
    values,
    compare: (unit) =>
      values().chosen.length === 0
        ? []
        : [compareLengths(unit, values().chosen, values().rejected)],
  };
}
