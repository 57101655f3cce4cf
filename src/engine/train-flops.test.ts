import { describe, expect, test } from "vitest";

import type { ModelConfig } from "../model/model-config.ts";
import { batchWork } from "./train-flops.ts";

const config = {
  dim: 4,
  heads: 2,
  keyHeads: 1,
  headDim: 2,
  mlpDim: 6,
  mlpMatrices: 3,
  layerCount: 3,
  vocabSize: 10,
} as ModelConfig; // what is counted

describe("batchWork", () => {
  // Per block: q 4·4, k and v 4·2 each, o 4·4, three of 4·6 = 120 weights.
  const examples = [
    { prompt: Int32Array.of(1, 2), responses: [Int32Array.of(3), Int32Array.of(4, 5, 6)] },
  ];
  const batch = [{ example: 0, responses: [0, 1], length: 6 }];
  // Query-key pairs: the prompt 1 + 2; the first response 3; the second 3 + 4 + 5.
  const forward = 2 * 6 * 3 * 120 + 4 * (3 + 3 + 12) * 3 * 4 + 2 * 4 * 4 * 10;

  test("counts a shared prompt once, and visible keys only", () => {
    expect(batchWork(config, examples, batch, { isLora: false, trainedNumbers: 0 })).toEqual({
      tokens: 6,
      flops: 3 * forward,
    });
  });

  test("leaves the weights' gradients out where factors are trained instead", () => {
    const { flops } = batchWork(config, examples, batch, { isLora: true, trainedNumbers: 50 });
    expect(flops).toBe(2 * forward + 6 * 6 * 50);
  });
});
