import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { expectTokenizerFits } from "./tokenizer-fit.ts";
import { loadTokenizer } from "./tokenizer.ts";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../test/golden/tokenizer/${name}`, import.meta.url));

// The first has 420 tokens, the second two added ones behind the same 420.
it.each([
  ["chatml", 420],
  ["chatml", 512],
  ["chatml", 840],
  ["reasoning", 422],
  ["reasoning", 420],
])("the %s tokenizer may be that of a model with %i embeddings", async (name, rows) => {
  const tokenizer = await loadTokenizer(golden(name));
  expect(() => expectTokenizerFits(tokenizer, rows, "there")).not.toThrow();
});

it.each([
  ["chatml", 419],
  ["chatml", 841],
  ["chatml", 49_152],
  ["reasoning", 419],
])("the %s tokenizer is not that of a model with %i embeddings", async (name, rows) => {
  const tokenizer = await loadTokenizer(golden(name));
  expect(() => expectTokenizerFits(tokenizer, rows, "there")).toThrow(ConfigError);
  expect(() => expectTokenizerFits(tokenizer, rows, "there")).toThrow(/^there: the tokenizer has/);
});
