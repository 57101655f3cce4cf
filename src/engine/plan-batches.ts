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
  const rows = examples
    .flatMap((example, index) => planRows(example, index, limits))
    .toSorted((a, b) => b.length - a.length || a.example - b.example);
  const batches: PlannedRow[][] = [];
  let batch: PlannedRow[] = [];
  for (const row of rows) {
    const longest = batch[0]?.length ?? row.length;
    const count = batch.length + 1;
    if (
      batch.length > 0 &&
      (count * longest > limits.batchTokens ||
        count * longest * (limits.prefixLength + longest) > limits.batchScores)
    ) {
      batches.push(batch);
      batch = [];
    }
    batch.push(row);
  }
  if (batch.length > 0) batches.push(batch);
  const [longest, ...others] = batches;
  return longest === undefined ? [] : [longest, ...createRng(others.length).shuffle(others)];
}

/**
 * One row for all responses of an example where that is cheaper (the prompt runs once, but every query is scored against every
 * other response too) and possible (all responses give the prompt the same angles); otherwise one row a response.
 */
function planRows(example: TokenizedExample, index: number, limits: PlanLimits): PlannedRow[] {
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
