import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { checkTokenizerFits } from "./tokenizer-fit.ts";
import { loadTokenizer } from "./tokenizer.ts";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../test/golden/tokenizer/${name}`, import.meta.url));

// The first has 420 tokens, the second two added ones behind the same 420.
it.each([
  ["chatml", 420],
  ["chatml", 512],
  ["reasoning", 422],
  ["reasoning", 420],
])("the %s tokenizer is that of a model with %i embeddings", async (name, rows) => {
  const tokenizer = await loadTokenizer(golden(name));
  expect(checkTokenizerFits(tokenizer, rows, "there")).toBeUndefined();
});

it.each([
  ["Qwen2.5 7B", 151_665, 152_064],
  ["Qwen2 0.5B", 151_646, 151_936],
  ["Phi-3 mini", 32_011, 32_064],
  ["OLMo 2", 100_278, 100_352],
  ["Pythia 410M", 50_277, 50_304],
  ["Pythia 12B", 50_277, 50_688],
  ["Phi-2", 50_295, 51_200],
  ["DeepSeek LLM 7B", 100_015, 102_400],
  ["Gemma 2", 256_000, 256_000],
  ["SmolLM2", 49_152, 49_152],
])("the padding of %s is passed over", (_, vocabSize, rows) => {
  expect(
    checkTokenizerFits({ vocabSize, baseVocabSize: vocabSize }, rows, "there"),
  ).toBeUndefined();
});

it.each([
  ["chatml", 420, 600],
  ["chatml", 420, 840],
])("the %s tokenizer of %i tokens beside %i embeddings is a warning", async (name, own, rows) => {
  const tokenizer = await loadTokenizer(golden(name));
  expect(checkTokenizerFits(tokenizer, rows, "there")).toMatch(
    new RegExp(`^there: the tokenizer has ${own} tokens, .* ${rows}: ${rows - own} rows`),
  );
});

it.each([
  ["chatml", 419],
  ["chatml", 841],
  ["chatml", 49_152],
  ["reasoning", 419],
])("the %s tokenizer is not that of a model with %i embeddings", async (name, rows) => {
  const tokenizer = await loadTokenizer(golden(name));
  expect(() => checkTokenizerFits(tokenizer, rows, "there")).toThrow(ConfigError);
  expect(() => checkTokenizerFits(tokenizer, rows, "there")).toThrow(/^there: the tokenizer has/);
});
