/** @file Which examples run together: pure arithmetic over lengths. */
import type { RopeScaling } from "../model/rope.ts";
import { sharesAngles } from "../model/rope.ts";
import { createRng } from "../util/rng.ts";
import type { TokenizedExample } from "./engine.ts";

/** What runs as one row: a prompt with some of its responses behind it. */
export interface PlannedRow {
  /** Index into the examples. */
  readonly example: number;
  /** Indices into the example's responses. */
  readonly responses: readonly number[];
  /** Tokens of prompt (less a shared prefix) and responses together. */
  readonly length: number;
}

/** Rows that run together, padded to the longest. */
export type PlannedBatch = readonly PlannedRow[];

/** What decides about rows and batches. */
export interface PlanLimits {
  /** Multiply-adds for each token outside the attention scores, over all blocks that run. */
  readonly costPerToken: number;
  /** Multiply-adds for each pair of a query and a key. */
  readonly costPerScore: number;
  /** Padded tokens of one batch, at most, unless a single row is longer. */
  readonly batchTokens: number;
  /** Attention scores of one batch for each head (rows · longest²), at most, unless a single row has more. */
  readonly batchScores: number;
  readonly ropes: readonly RopeScaling[];
  /** Tokens at the start of every prompt that no row holds. */
  readonly prefixLength: number;
}

/**
 * Packs each example into rows and rows of nearly one length into batches. The batch with the longest rows comes first, so that the
 * peak of memory comes at once; the others in a shuffled order, so that the rate so far foretells the time left. The same examples
 * always give the same plan.
 */
export function planBatches(
  examples: readonly TokenizedExample[],
  limits: PlanLimits,
): readonly PlannedBatch[] {
  const rows = examples.flatMap((example, index) =>
    planRows(example, index, limits).map((row) => [row]),
  );
  const [longest, ...others] = fillBatches(rows, limits);
  return longest === undefined ? [] : [longest, ...createRng(others.length).shuffle(others)];
}

/**
 * As planBatches, but all rows of an example are in one batch, whatever the limits, and the batches come in falling order of length: for
 * losses that compare responses.
 */
export function planWholeExamples(
  examples: readonly TokenizedExample[],
  limits: PlanLimits,
): readonly PlannedBatch[] {
  const groups = examples.map((example, index) => planRows(example, index, limits));
  return fillBatches(groups, limits);
}

/** Fills batches with groups of rows that stay together, the longest first. */
function fillBatches(
  groups: readonly (readonly PlannedRow[])[],
  limits: PlanLimits,
): readonly PlannedBatch[] {
  const longestRow = (group: readonly PlannedRow[]): number =>
    Math.max(...group.map((row) => row.length));
  const sorted = groups.toSorted(
    (a, b) => longestRow(b) - longestRow(a) || a[0]!.example - b[0]!.example, // groups have rows
  );
  const batches: PlannedRow[][] = [];
  let batch: PlannedRow[] = [];
  let longest = 0;
  for (const group of sorted) {
    longest = Math.max(longest, longestRow(group));
    const count = batch.length + group.length;
    if (
      batch.length > 0 &&
      (count * longest > limits.batchTokens ||
        count * longest * (limits.prefixLength + longest) > limits.batchScores)
    ) {
      batches.push(batch);
      batch = [];
      longest = longestRow(group);
    }
    batch.push(...group);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/**
 * One row for all responses of an example where that is cheaper (the prompt runs once, but every query is scored against every
 * other response too) and possible (all responses give the prompt the same angles); otherwise one row a response.
 */
export function planRows(
  example: TokenizedExample,
  index: number,
  limits: PlanLimits,
): PlannedRow[] {
  const promptLength = example.prompt.length - limits.prefixLength;
  const rowOf = (responses: readonly number[]): PlannedRow => ({
    example: index,
    responses,
    length: responses.reduce(
      (sum, each) => sum + (example.responses[each]?.length ?? 0),
      promptLength,
    ),
  });
  const cost = (row: PlannedRow): number =>
    row.length * limits.costPerToken +
    row.length * (limits.prefixLength + row.length) * limits.costPerScore;

  const alone = example.responses.map((_, each) => rowOf([each]));
  const packed = rowOf(example.responses.map((_, each) => each));
  const isShareable = alone.every((row) =>
    limits.ropes.every((rope) => sharesAngles(rope, row.length, alone[0]!.length)),
  );
  const separateCost = alone.reduce((sum, row) => sum + cost(row), 0);
  return isShareable && cost(packed) <= separateCost ? [packed] : alone;
}
