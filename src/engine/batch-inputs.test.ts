import { expect, it } from "vitest";

import { inverseFrequencies, type RopeScaling } from "../model/rope.ts";
import { batchInputs } from "./batch-inputs.ts";

it("takes the frequencies of the whole row, of a prompt without responses too", () => {
  const rope: RopeScaling = {
    kind: "longrope",
    theta: 100,
    shortFactors: [1, 1],
    longFactors: [2, 3],
    originalMaxPositions: 4,
    attentionFactor: 1,
  };
  const settings = { frequencyInputs: new Map([["f", rope]]), rotaryDim: 4 };
  const frequencies = (prompt: number, ...responses: number[]): unknown => {
    const example = {
      prompt: new Int32Array(prompt),
      responses: responses.map((length) => new Int32Array(length)),
    };
    const length = prompt + responses.reduce((sum, each) => sum + each, 0);
    const row = { example: 0, responses: responses.map((_, i) => i), length };
    return batchInputs([example], [row], settings)["f"]!.array;
  };
  const [short, long] = [4, 5].map((length) => inverseFrequencies(rope, 4, length));
  expect(frequencies(4)).toEqual(short);
  expect(frequencies(5)).toEqual(long);
  expect(frequencies(2, 2)).toEqual(short);
  expect(frequencies(2, 3)).toEqual(long);
});
