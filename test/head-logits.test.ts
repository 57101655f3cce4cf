/** Final norm and output matrix of every family against transformers' logits at every token. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { ParameterCache } from "../src/engine/parameter-cache.ts";
import { openSafetensors } from "../src/format/safetensors.ts";
import { openWeights } from "../src/model/checkpoint-weights.ts";
import { expectHeadFits } from "../src/model/expect-weights.ts";
import { readModel } from "../src/model/read-model.ts";
import { compile } from "../src/runtime/ort.ts";
import { input } from "../src/tensor/graph.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { relativeError } from "./support/close.ts";

const ROOT = fileURLToPath(new URL("golden/checkpoints/", import.meta.url));

const { cases } = JSON.parse(readFileSync(`${ROOT}cases.json`, "utf8")) as {
  cases: { name: string; about: string; layers: number; lengths: number[] }[];
};

describe.each(cases)("$name ($about)", ({ name, layers, lengths }) => {
  it("turns transformers' last residual stream into transformers' logits", async () => {
    const dir = ROOT + name;
    const model = await readModel(dir);
    await using weights = await openWeights(dir);
    expectHeadFits(model, weights);
    await using golden = await openSafetensors(`${dir}/golden.safetensors`);
    const { dim } = model.config;
    const graph = lowerToOnnx({
      logits: model.family.head(input("x", "float32", ["T", dim]), model),
    });
    const { bound } = await new ParameterCache(weights).load(graph.parameters);
    await using program = await compile(graph, { weights: bound, threads: 1 });
    for (const [sequence, length] of lengths.entries()) {
      const floats = async (tensor: string): Promise<Float32Array> =>
        new Float32Array((await golden.readBytes(tensor)).slice().buffer);
      const { logits } = await program.run({
        x: {
          dtype: "float32",
          shape: [length, dim],
          array: await floats(`hidden.${sequence}.${layers}`),
        },
      });
      const want = await floats(`logits.${sequence}`);
      const error = relativeError(logits!.array as Float32Array, want);
      expect(error, `sequence ${sequence}`).toBeLessThan(1e-5);
    }
  });
});

it("a head that does not fit config.json is refused by name", async () => {
  const model = await readModel(`${ROOT}llama`);
  await using weights = await openWeights(`${ROOT}llama`);
  const wider = { ...model, config: { ...model.config, vocabSize: 65 } };
  expect(() => expectHeadFits(wider, weights)).toThrow(/lm_head\.weight.*\[65, 32\].*\[64, 32\]/);
  await using tied = await openWeights(`${ROOT}llama-tied`);
  expect(() => expectHeadFits(model, tied)).toThrow(/lack the tensor "lm_head\.weight"/);
});
