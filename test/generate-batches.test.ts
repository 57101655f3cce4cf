/** What runs side by side must not matter: unequal prompts in a batch give what one at a time gives. */
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { CacheBias } from "../src/engine/generation/cache-bias.ts";
import { newGenerationCounter } from "../src/engine/generation/generate-options.ts";
import { KeyValueCache } from "../src/engine/generation/key-value-cache.ts";
import { frequencyValues, int32 } from "../src/engine/generation/prompt-inputs.ts";
import { decodeStep } from "../src/model/decode-step.ts";
import type { TensorValue } from "../src/runtime/ort.ts";
import { input } from "../src/tensor/graph.ts";
import { add } from "../src/tensor/ops/arithmetic.ts";
import { createRng } from "../src/util/rng.ts";
import { goldenHost, runGreedy, runSamples } from "./support/generation.ts";

const ROOT = fileURLToPath(new URL("golden/checkpoints/", import.meta.url));
const FAMILIES = ["llama", "mistral", "olmo2", "olmo3", "qwen2-sliding", "qwen3", "llama-dynamic"];

/** Prompts of 1 to 40 tokens. */
function randomPrompts(count: number, seed: number): number[][] {
  const rng = createRng(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + rng.integer(40) }, () => rng.integer(64)),
  );
}

describe.each(FAMILIES)("%s", (name) => {
  it("samples the same tokens one at a time, in small batches and in one large batch", async () => {
    await using host = await goldenHost(ROOT + name);
    const prompts = randomPrompts(6, 3);
    for (const options of [
      { temperature: 0 },
      { temperature: 0.9, topK: 40, topP: 0.95, samples: 2, seed: 7 },
    ]) {
      // Some samples end early, so that rows leave and others enter.
      const settings = { ...options, maxTokens: 40, stopTokens: [5, 9] };
      const together = await runSamples(host, prompts, { ...settings, batch: 64 });
      expect(await runSamples(host, prompts, { ...settings, batch: 4 })).toEqual(together);
      for (const [i, prompt] of prompts.entries()) {
        const [alone] = await runSamples(host, [prompt], { ...settings, batch: 1 });
        expect(alone, `prompt ${i}`).toEqual(together[i]);
      }
    }
  });
});

it("gives logits within 1e-5 whatever rows run beside, and however large the cache", async () => {
  await using host = await goldenHost(`${ROOT}qwen2-sliding`);
  const { config } = host.model;
  const { program, frequencyInputs } = await host.program("step logits", () =>
    decodeStep(host.model, "logits"),
  );
  const prompts = randomPrompts(5, 11);
  const run = async (rows: readonly (readonly number[])[], room: number): Promise<number[][]> => {
    const cache = new KeyValueCache(config, rows.length);
    const bias = new CacheBias(config, rows.length);
    const lengths = rows.map(() => 0);
    cache.fit(room, lengths);
    bias.reset(cache.capacity, lengths);
    const last: number[][] = rows.map(() => []);
    for (let t = 0; t < 40; t++) {
      const outputs = await program.run({
        // A row that is through repeats its last token at the end of its cache, and nobody looks.
        ids: int32(
          Int32Array.from(rows, (row) => row[Math.min(t, row.length - 1)]!),
          rows.length,
        ),
        positions: int32(Int32Array.from(lengths), rows.length),
        ...cache.inputs(rows.length),
        ...bias.inputs(rows.length),
        ...frequencyValues(
          lengths.map((length) => length + 1),
          { frequencyInputs, rotaryDim: config.rotaryDim },
        ),
      });
      const logits = outputs["logits"] as TensorValue & { readonly array: Float32Array };
      for (const [r, row] of rows.entries()) {
        if (t === row.length - 1) last[r] = [...logits.array.subarray(r * 64, (r + 1) * 64)];
      }
      cache.append(outputs["rows"]!.array as Float32Array, lengths);
      for (const r of rows.keys()) bias.setRow(r, ++lengths[r]!);
    }
    return last;
  };
  const together = await run(prompts, 300);
  for (const [i, prompt] of prompts.entries()) {
    const [alone] = await run([prompt], 50);
    for (const [id, logit] of alone!.entries()) {
      expect(Math.abs(logit - together[i]![id]!), `prompt ${i}`).toBeLessThan(1e-5);
    }
  }
});

it("runs a prefix that all prompts share once, with the same result", async () => {
  await using host = await goldenHost(`${ROOT}olmo3-nested`);
  const rng = createRng(2);
  const system = Array.from({ length: 100 }, () => rng.integer(64));
  const prompts = randomPrompts(8, 4).map((prompt) => [...system, ...prompt]);
  prompts.push([...system, 3], system.slice()); // the prefix with one token more, and itself
  const counter = newGenerationCounter();
  const shared = await runGreedy(host, prompts, { maxTokens: 20, counter });
  const separate = await runGreedy({ ...host, hasPrefixes: false }, prompts, { maxTokens: 20 });
  expect(shared).toEqual(separate);
  // All tokens but each prompt's last, which is the first that a step runs; the 99 that all share once.
  const all = prompts.reduce((sum, prompt) => sum + prompt.length - 1, 0);
  expect(counter.promptTokens).toBe(all - 99 * (prompts.length - 1));
  expect(counter.sampledTokens).toBe(20 * prompts.length);
  expect(counter.flops).toBeGreaterThan(0);
});

it("gives samples that follow seed, prompt and number, and nothing else", async () => {
  await using host = await goldenHost(`${ROOT}llama`);
  const [a, b] = [
    [1, 2, 3],
    [4, 5],
  ];
  const options = { maxTokens: 12, samples: 3, seed: 1 };
  const [first] = await runSamples(host, [a, b], options);
  const [, again] = await runSamples(host, [b, a], options);
  expect(again).toEqual(first);
  const later = await runSamples(host, [a], { ...options, samples: 1, firstSample: 2 });
  expect(later[0]![0]).toEqual(first![2]);
  expect(new Set(first!.map(String)).size).toBe(3);
  const [other] = await runSamples(host, [a], { ...options, seed: 2 });
  expect(other).not.toEqual(first);
});

it("samples with the model's own probabilities", async () => {
  await using host = await goldenHost(`${ROOT}llama`);
  const { config } = host.model;
  const samples = 4000;
  const drawn = await runSamples(host, [[7]], { maxTokens: 1, samples, temperature: 0.8 });
  const { program, frequencyInputs } = await host.program("step logits", () =>
    decodeStep(host.model, "logits"),
  );
  const cache = new KeyValueCache(config, 1);
  const bias = new CacheBias(config, 1);
  cache.fit(1, [0]);
  bias.reset(cache.capacity, [0]);
  const { logits } = await program.run({
    ids: int32(Int32Array.of(7), 1),
    positions: int32(Int32Array.of(0), 1),
    ...cache.inputs(1),
    ...bias.inputs(1),
    ...frequencyValues([1], { frequencyInputs, rotaryDim: config.rotaryDim }),
  });
  const weights = Array.from(logits!.array as Float32Array, (logit) => Math.exp(logit / 0.8));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let chiSquare = 0;
  for (const [id, weight] of weights.entries()) {
    const want = (samples * weight) / total;
    const got = drawn[0]!.filter(([token]) => token === id).length;
    chiSquare += (got - want) ** 2 / want;
  }
  // 63 degrees of freedom: 99.9 % lie below 104.
  expect(chiSquare).toBeLessThan(104);
});

describe("the end of a sample", () => {
  it("is the stop token, the limit, or the end of the context", async () => {
    await using host = await goldenHost(`${ROOT}llama`);
    const [whole] = await runGreedy(host, [[1, 2, 3]], { maxTokens: 30 });
    const stop = whole![6]!;
    const [stopped] = await runGreedy(host, [[1, 2, 3]], { maxTokens: 30, stopTokens: [stop] });
    expect(stopped).toEqual(whole!.slice(0, whole!.indexOf(stop) + 1));
    const [full] = await runGreedy(host, [[1, 2, 3]], { maxTokens: 30, contextLength: 10 });
    expect(full).toEqual(whole!.slice(0, 7));
  });

  it("a prompt that is empty, fills the context or has unknown ids is refused by number", async () => {
    await using host = await goldenHost(`${ROOT}llama`);
    const run = (prompt: number[]) => runGreedy(host, [[1], prompt], { contextLength: 10 });
    await expect(run([])).rejects.toThrow(/prompt 1: expected tokens, got none/);
    await expect(run(Array.from({ length: 10 }, () => 1))).rejects.toThrow(/fewer than 10 tokens/);
    await expect(run([64])).rejects.toThrow(/prompt 1: expected ids below 64, got 64/);
  });
});

it("hooks see the residual stream at every sampled token, and the logits", async () => {
  await using host = await goldenHost(`${ROOT}llama`);
  const { config } = host.model;
  const seen: number[] = [];
  const { program, frequencyInputs } = await host.program("step, steered", () =>
    decodeStep(host.model, "token", {
      residual: (x, layer) => {
        seen.push(layer);
        return layer === 2 ? add(x, input("push", "float32", [config.dim])) : x;
      },
      logits: (logits) => add(logits, input("favour", "float32", [config.vocabSize])),
    }),
  );
  expect(seen).toEqual([0, 1, 2, 3]);
  const cache = new KeyValueCache(config, 1);
  const bias = new CacheBias(config, 1);
  cache.fit(1, [0]);
  bias.reset(cache.capacity, [0]);
  const favour = new Float32Array(config.vocabSize);
  favour[17] = 1e4;
  const run = async (push: number): Promise<Readonly<Record<string, TensorValue>>> =>
    program.run({
      ids: int32(Int32Array.of(7), 1),
      positions: int32(Int32Array.of(0), 1),
      ...cache.inputs(1),
      ...bias.inputs(1),
      ...frequencyValues([1], { frequencyInputs, rotaryDim: config.rotaryDim }),
      push: {
        dtype: "float32",
        shape: [config.dim],
        array: new Float32Array(config.dim).fill(push),
      },
      favour: { dtype: "float32", shape: [config.vocabSize], array: favour },
    });
  const [plain, pushed] = [await run(0), await run(3)];
  expect(plain["token"]!.array[0]).toBe(17);
  // Layer 2 lies before the third block: its keys change, those of the first two do not.
  const rows = (from: Readonly<Record<string, TensorValue>>) => [
    ...(from["rows"]!.array as Float32Array),
  ];
  const size = rows(plain).length / 3;
  expect(rows(pushed).slice(0, 2 * size)).toEqual(rows(plain).slice(0, 2 * size));
  expect(rows(pushed).slice(2 * size)).not.toEqual(rows(plain).slice(2 * size));
});
