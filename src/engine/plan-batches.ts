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

/** Tokens of its longest row. */
export const batchWidth = (batch: PlannedBatch): number =>
  Math.max(...batch.map((row) => row.length));

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
 * The responses in their order, each in the last one's row where that is cheaper than a row of its own (the prompt runs once, but every
 * query is scored against the other responses too) and possible: all responses of a row give the prompt the same angles, and more than
 * two stay within the limits of a batch.
 */
export function planRows(
  { prompt, responses }: TokenizedExample,
  index: number,
  limits: PlanLimits,
): PlannedRow[] {
  const { ropes, prefixLength, batchTokens, batchScores } = limits;
  const promptLength = prompt.length - prefixLength;
  const scores = (length: number): number => length * (prefixLength + length);
  const cost = (length: number): number =>
    length * limits.costPerToken + scores(length) * limits.costPerScore;
  const mayJoin = (row: PlannedRow, size: number): boolean => {
    const alone = promptLength + size;
    const joined = row.length + size;
    const first = promptLength + responses[row.responses[0]!]!.length; // every row has a response
    const isShareable = ropes.every((rope) => sharesAngles(rope, alone, first));
    const isPair = row.responses.length === 1;
    const fits = isPair || (joined <= batchTokens && scores(joined) <= batchScores);
    return isShareable && fits && cost(joined) <= cost(row.length) + cost(alone);
  };

  const rows: PlannedRow[] = [];
  for (const [response, { length: size }] of responses.entries()) {
    const row = rows.at(-1);
    const goesOn = row !== undefined && mayJoin(row, size);
    const before = goesOn ? rows.pop()! : { responses: [], length: promptLength };
    rows.push({
      example: index,
      responses: [...before.responses, response],
      length: before.length + size,
    });
  }
  return rows;
}
