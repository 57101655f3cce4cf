/** Sampling with the cache against transformers' generate: greedy continuations of every golden checkpoint. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { goldenHost, runGreedy } from "./support/generation.ts";

const { cases } = JSON.parse(
  readFileSync(new URL("golden/generate/generate.json", import.meta.url), "utf8"),
) as {
  cases: {
    name: string;
    sequences: { prompt: number[]; tokens: number[]; logits: number[] }[];
  }[];
};
const ROOT = fileURLToPath(new URL("golden/checkpoints/", import.meta.url));

describe.each(cases)("$name", ({ name, sequences }) => {
  it("continues every prompt as transformers does, all prompts in one batch", async () => {
    await using host = await goldenHost(ROOT + name);
    const got = await runGreedy(
      host,
      sequences.map(({ prompt }) => prompt),
      { maxTokens: 64 },
    );
    expect(got).toEqual(sequences.map(({ tokens }) => tokens));
  });
});
