import { describe, expect, it } from "vitest";

import { batchResponses, pairInputs, responseInputs, tokenWeights } from "./response-inputs.ts";

const tokens = (...ids: number[]): Int32Array => Int32Array.from(ids);
const examples = [
  { prompt: tokens(1, 2, 3), responses: [tokens(4, 5), tokens(6)] },
  { prompt: tokens(7), responses: [tokens(8), tokens(9, 10, 11)] },
];
const batch = [
  { example: 0, responses: [0, 1], length: 6 },
  { example: 1, responses: [0, 1], length: 5 },
];

describe("inputs for log-probabilities", () => {
  it("predicts the first token of each response from the end of the prompt, the others from the one before", () => {
    const { predictors, targets, responsePool } = responseInputs(examples, batch);
    expect([...targets!.array]).toEqual([4, 5, 6, 8, 9, 10, 11]);
    // Rows [1 2 3 4 5 6] and [7 8 9 10 11 ·], six wide.
    expect([...predictors!.array]).toEqual([2, 3, 2, 6, 6, 8, 9]);
    expect(responsePool!.shape).toEqual([4, 7]);
    expect([...responsePool!.array]).toEqual(
      [
        [1, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 1],
      ].flat(),
    );
  });

  it("leaves out the first token of a response that has no prompt", () => {
    const text = [{ prompt: tokens(), responses: [tokens(1, 2, 3)] }];
    const rows = [{ example: 0, responses: [0], length: 3 }];
    const { predictors, targets, responsePool } = responseInputs(text, rows);
    expect([...predictors!.array]).toEqual([0, 1]);
    expect([...targets!.array]).toEqual([2, 3]);
    expect([...responsePool!.array]).toEqual([1, 1]);
    expect(batchResponses(text, rows)).toEqual([{ example: 0, response: 0, tokenCount: 2 }]);
    expect([...tokenWeights(batchResponses(text, rows), 0.5)["tokenWeights"]!.array]).toEqual([
      0.5, 0.5,
    ]);
  });
});

describe("inputs for the DPO loss", () => {
  it("takes chosen less rejected of each pair, in the order of the batch", () => {
    const reversed = [batch[1]!, batch[0]!];
    const got = pairInputs(batchResponses(examples, reversed), (example) => ({
      reference: [-example, -10 - example],
      weight: 1 / (2 + example),
    }));
    expect([...got["reference"]!.array]).toEqual([-1, -11, -0, -10]);
    expect([...got["tokenCounts"]!.array]).toEqual([1, 3, 2, 1]);
    expect([...got["pairSigns"]!.array]).toEqual([1, -1, 0, 0, 0, 0, 1, -1]);
    expect([...got["pairWeights"]!.array]).toEqual([Math.fround(1 / 3), 0.5]);
  });

  it("refuses a batch that has half of a pair", () => {
    const half = batchResponses(examples, [{ example: 0, responses: [1], length: 4 }]);
    expect(() => pairInputs(half, () => ({ reference: [0, 0], weight: 1 }))).toThrowError(
      /1 responses of 1 pairs/,
    );
  });
});
