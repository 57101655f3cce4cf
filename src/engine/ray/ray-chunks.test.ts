import { expect, it } from "vitest";

import type { TokenizedExample } from "../engine.ts";
import { cutChunks } from "./ray-chunks.ts";

const example = (prompt: number[], ...responses: number[][]): TokenizedExample => ({
  prompt: Int32Array.from(prompt),
  responses: responses.map((each) => Int32Array.from(each)),
});
const task = () => ({ op: "embed" });

it("cuts by tokens, the prompt counted for each response, and by examples", () => {
  const six = example([1, 2], [3], [4]); // 2·2 + 2 tokens
  const cut = (tokens: number, examples: number): number[] =>
    [...cutChunks([six, six, six], { tokens, examples }, task)].map((each) => each.examples.length);
  expect(cut(12, 9)).toEqual([2, 1]);
  expect(cut(11, 9)).toEqual([1, 1, 1]);
  expect(cut(1, 9)).toEqual([1, 1, 1]);
  expect(cut(100, 2)).toEqual([2, 1]);
});

it("writes ids one behind another with their lengths", () => {
  const limits = { tokens: 100, examples: 9 };
  const [chunk] = cutChunks([example([1, 2], [3], [4, 5]), example([6], [7])], limits, task);
  const found = Object.fromEntries(
    chunk!.tensors.map(({ name, bytes }) => [name, [...new Int32Array(bytes.slice().buffer)]]),
  );
  expect(found).toEqual({
    prompts: [1, 2, 6],
    promptLengths: [2, 1],
    responses: [3, 4, 5, 7],
    responseLengths: [1, 2, 1],
    responseCounts: [2, 1],
  });
});

it("gives one key to the same work and others to other work", () => {
  const limits = { tokens: 100, examples: 1 };
  const keys = (examples: TokenizedExample[], layer: number): string[] =>
    [...cutChunks(examples, limits, () => ({ op: "embed", layer }))].map(({ key }) => key);
  const [a, b] = [example([1], [2]), example([1, 2], [])];
  expect(keys([a, b, a], 1)).toEqual([...keys([a, b], 1), ...keys([a], 1)]);
  expect(new Set([...keys([a, b], 1), ...keys([a, b], 2)]).size).toBe(4);
});
