/** @file Sampling with a LoRA adapter, merged on load, against PEFT's unmerged one: greedy continuations. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { goldenHost, runGreedy } from "./support/generation.ts";

const ROOT = fileURLToPath(new URL("golden/lora/", import.meta.url));
const { cases } = JSON.parse(readFileSync(`${ROOT}generate.json`, "utf8")) as {
  cases: { adapter: string | null; prompts: number[][]; tokens: number[][] }[];
};
const plain = cases.find(({ adapter }) => adapter === null)!; // make_generate.py begins with it

describe.each(cases)("the adapter $adapter", ({ adapter, prompts, tokens }) => {
  it("continues every prompt as PEFT does", async () => {
    await using host = await goldenHost(
      `${ROOT}base`,
      adapter === null ? undefined : ROOT + adapter,
    );
    const got = await runGreedy(host, prompts, { maxTokens: 16 });
    // PEFT's end at a near tie.
    expect(got.map((each, i) => each.slice(0, tokens[i]!.length))).toEqual(tokens);
  });

  it("is no silent no-op", () => {
    expect(tokens.flat().length).toBeGreaterThan(20);
    expect(adapter === null || JSON.stringify(tokens) !== JSON.stringify(plain.tokens)).toBe(true);
  });
});
