import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ExampleLogprobs, TokenizedExample } from "../engine/engine.ts";
import { referenceLogprobs } from "./reference-cache.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "culprit-references-"));
});
afterAll(() => rm(root, { recursive: true }));

const identity = {
  name: "n",
  checkpointHash: "c".repeat(64),
  tokenizerHash: "t",
  templateHash: "raw",
  family: "llama",
  layerCount: 1,
  dim: 1,
  maxPositions: 10,
};
const examples: TokenizedExample[] = Array.from({ length: 1100 }, (_, i) => ({
  prompt: Int32Array.of(i),
  responses: [Int32Array.of(1, 2), Int32Array.of(3)],
}));
/** A value that tells which example and response it belongs to. */
const valueOf = ({ prompt }: TokenizedExample, response: number): number =>
  -prompt[0]! - response / 4;

/** A trainer that notes what it is asked for and gives up at the `limit`-th call. */
function fakeTrainer(limit = Infinity): {
  identity: typeof identity;
  asked: number[][];
  startLogprobs(of: readonly TokenizedExample[]): AsyncGenerator<ExampleLogprobs>;
} {
  const asked: number[][] = [];
  return {
    identity,
    asked,
    async *startLogprobs(of) {
      if (asked.length === limit) throw new Error("killed");
      asked.push(of.map(({ prompt }) => prompt[0]!));
      // Engines answer in any order.
      for (const [index, example] of [...of.entries()].toReversed()) {
        const logprobs = example.responses.map((_, r) => valueOf(example, r));
        yield await Promise.resolve({ index, logprobs, tokenCounts: [2, 1] });
      }
    },
  };
}

describe("referenceLogprobs", () => {
  test("a killed run asks again for the same chunks and gets every value in its place", async () => {
    const whole = fakeTrainer();
    await referenceLogprobs(whole, examples, join(root, "whole"));
    const directory = join(root, "killed");
    await expect(referenceLogprobs(fakeTrainer(1), examples, directory)).rejects.toThrow("killed");
    const resumed = fakeTrainer();
    const values = await referenceLogprobs(resumed, examples, directory);
    expect(resumed.asked).toEqual(whole.asked.slice(1));
    expect(values).toEqual(examples.map((each) => [valueOf(each, 0), valueOf(each, 1)]));
    const [folder] = await readdir(directory);
    expect(await readdir(join(directory, folder!))).toEqual(
      await readdir(join(root, "whole", folder!)),
    );
  });

  test("asks for a response once, whichever side it is on, and again for another checkpoint", async () => {
    const directory = join(root, "swapped");
    await referenceLogprobs(fakeTrainer(), examples.slice(0, 3), directory);
    const swapped = examples
      .slice(0, 3)
      .map(({ prompt, responses }) => ({ prompt, responses: responses.toReversed() }));
    const trainer = fakeTrainer();
    const values = await referenceLogprobs(
      trainer,
      [...swapped, examples[3]!, examples[3]!],
      directory,
    );
    expect(trainer.asked).toEqual([[3]]);
    expect(values[1]).toEqual([valueOf(examples[1]!, 1), valueOf(examples[1]!, 0)]);
    expect(values[4]).toEqual(values[3]);
    const other = { ...fakeTrainer(), identity: { ...identity, checkpointHash: "d".repeat(64) } };
    await referenceLogprobs(other, examples.slice(0, 3), directory);
    expect(other.asked).toEqual([[0, 1, 2]]);
  });

  test("the same tokens with the boundary elsewhere are another response", async () => {
    const directory = join(root, "boundary");
    const at = (n: number): TokenizedExample => ({
      prompt: Int32Array.of(7, 8, 9).slice(0, n),
      responses: [Int32Array.of(7, 8, 9).slice(n)],
    });
    await referenceLogprobs(fakeTrainer(), [at(1)], directory);
    const trainer = fakeTrainer();
    await referenceLogprobs(trainer, [at(2)], directory);
    expect(trainer.asked).toHaveLength(1);
  });

  test("refuses a file that is none of its own", async () => {
    const directory = join(root, "foreign");
    await referenceLogprobs(fakeTrainer(), examples.slice(0, 1), directory);
    const [folder] = await readdir(directory);
    await writeFile(join(directory, folder!, "x.safetensors"), "broken");
    await expect(referenceLogprobs(fakeTrainer(), examples, directory)).rejects.toThrow(
      /x\.safetensors/,
    );
  });
});
