/** @file Fills the inputs of the graphs in model/response-logprobs.ts and model/preference-loss.ts for one batch. */
import type { TensorValue } from "../runtime/ort.ts";
import type { TokenizedExample } from "./engine.ts";
import type { PlannedBatch } from "./plan-batches.ts";

/** One response of a batch, in the order of the graph's R axis. */
export interface BatchResponse {
  /** Index into the examples. */
  readonly example: number;
  /** Index into the example's responses. */
  readonly response: number;
  /** Tokens that have a log-probability: all, but for the first one of a response without a prompt, which nothing predicts. */
  readonly tokenCount: number;
}

/** The responses of a batch, row by row. */
export function batchResponses(
  examples: readonly TokenizedExample[],
  batch: PlannedBatch,
): readonly BatchResponse[] {
  return batch.flatMap(({ example, responses }) => {
    const { prompt, responses: tokens } = examples[example]!; // planned from these examples
    const unpredicted = prompt.length === 0 ? 1 : 0;
    return responses.map((response) => ({
      example,
      response,
      tokenCount: tokens[response]!.length - unpredicted,
    }));
  });
}

/** `predictors`, `targets` and `responsePool` for rows laid out as batchInputs does without a shared prefix. */
export function responseInputs(
  examples: readonly TokenizedExample[],
  batch: PlannedBatch,
): Record<string, TensorValue> {
  const width = Math.max(...batch.map((row) => row.length)); // T
  const found = batchResponses(examples, batch);
  const count = found.reduce((sum, { tokenCount }) => sum + tokenCount, 0); // N
  const predictors = new Int32Array(count);
  const targets = new Int32Array(count);
  const pool = new Float32Array(found.length * count);
  let at = 0;
  let number = 0;
  for (const [r, row] of batch.entries()) {
    const { prompt, responses } = examples[row.example]!; // planned from these examples
    let start = r * width + prompt.length;
    for (const each of row.responses) {
      const tokens = responses[each]!;
      const first = at;
      for (let i = prompt.length === 0 ? 1 : 0; i < tokens.length; i++, at++) {
        predictors[at] = i === 0 ? r * width + prompt.length - 1 : start + i - 1;
        targets[at] = tokens[i]!;
      }
      pool.fill(1, number * count + first, number * count + at);
      start += tokens.length;
      number += 1;
    }
  }
  return {
    predictors: { dtype: "int32", shape: [count], array: predictors },
    targets: { dtype: "int32", shape: [count], array: targets },
    responsePool: { dtype: "float32", shape: [found.length, count], array: pool },
  };
}

/**
 * Response tokens in a row for each response: `slots` [R, S], which of the N tokens stands there (any behind the last), and
 * `slotShares` [R, S, 1], 1 for each token, or 1/length for a mean, and 0 behind the last.
 */
export function slotInputs(
  responses: readonly BatchResponse[],
  { isMean }: { readonly isMean: boolean },
): Record<string, TensorValue> {
  const width = Math.max(...responses.map(({ tokenCount }) => tokenCount)); // S
  const slots = new Int32Array(responses.length * width);
  const shares = new Float32Array(slots.length);
  let first = 0;
  for (const [r, { tokenCount }] of responses.entries()) {
    for (let i = 0; i < tokenCount; i++) slots[r * width + i] = first + i;
    shares.fill(isMean ? 1 / tokenCount : 1, r * width, r * width + tokenCount);
    first += tokenCount;
  }
  const shape = [responses.length, width];
  return {
    slots: { dtype: "int32", shape, array: slots },
    slotShares: { dtype: "float32", shape: [...shape, 1], array: shares },
  };
}

/** What the DPO loss of one pair needs besides tokens. */
export interface PairTerms {
  /** Log-probabilities of the chosen and the rejected response under the reference. */
  readonly reference: readonly number[];
  /** The pair's share of the loss: 1/pairs of the whole step for a mean. */
  readonly weight: number;
}

/**
 * `reference`, `tokenCounts`, `pairSigns` and `pairWeights` for a batch of pairs, whose response 0 is the chosen and 1 the rejected
 * one; `termsOf` takes an index into the examples. Both responses of a pair must be in the batch.
 */
export function pairInputs(
  responses: readonly BatchResponse[],
  termsOf: (example: number) => PairTerms,
): Record<string, TensorValue> {
  const pairs = [...new Set(responses.map(({ example }) => example))];
  const signs = new Float32Array(pairs.length * responses.length);
  for (const [place, { example, response }] of responses.entries()) {
    signs[pairs.indexOf(example) * responses.length + place] = response === 0 ? 1 : -1;
  }
  if (responses.length !== 2 * pairs.length) {
    throw new Error(
      `internal: ${responses.length} responses of ${pairs.length} pairs in one batch`,
    );
  }
  const row = (values: readonly number[]): TensorValue => ({
    dtype: "float32",
    shape: [values.length],
    array: Float32Array.from(values),
  });
  return {
    reference: row(responses.map((each) => termsOf(each.example).reference[each.response]!)), // one of each response
    tokenCounts: row(responses.map(({ tokenCount }) => tokenCount)),
    pairSigns: { dtype: "float32", shape: [pairs.length, responses.length], array: signs },
    pairWeights: row(pairs.map((example) => termsOf(example).weight)),
  };
}

/** `tokenWeights` for the SFT loss: `weight` for every token of the batch, 1/tokens of the whole step for a mean. */
export function tokenWeights(
  responses: readonly BatchResponse[],
  weight: number,
): Record<string, TensorValue> {
  const count = responses.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  return {
    tokenWeights: { dtype: "float32", shape: [count], array: new Float32Array(count).fill(weight) },
  };
}
