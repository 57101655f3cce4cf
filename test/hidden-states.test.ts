/** Every family against transformers: test/golden/checkpoints holds tiny random checkpoints with their hidden states. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { ParameterCache } from "../src/engine/parameter-cache.ts";
import { openSafetensors } from "../src/format/safetensors.ts";
import { openWeights } from "../src/model/checkpoint-weights.ts";
import { pooledActivations } from "../src/model/pooled-activations.ts";
import { readModel } from "../src/model/read-model.ts";
import { inverseFrequencies } from "../src/model/rope.ts";
import { compile } from "../src/runtime/ort.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { relativeError } from "./support/close.ts";

const ROOT = fileURLToPath(new URL("golden/checkpoints/", import.meta.url));
/** The figure to reach: relative error of every layer's hidden states against transformers in float32. */
const MAX_RELATIVE_ERROR = 1e-5;

const { cases } = JSON.parse(readFileSync(`${ROOT}cases.json`, "utf8")) as {
  cases: { name: string; about: string; layers: number; lengths: number[] }[];
};

describe.each(cases)("$name ($about)", ({ name, layers, lengths }) => {
  it("gives transformers' hidden states at every layer and every token", async () => {
    const dir = ROOT + name;
    const model = await readModel(dir);
    const { config } = model;
    expect(config.layerCount).toBe(layers);
    await using weights = await openWeights(dir);
    await using golden = await openSafetensors(`${dir}/golden.safetensors`);
    const all = Array.from({ length: layers + 1 }, (_, layer) => layer);
    const { outputs, frequencyInputs } = pooledActivations(model, all);
    const graph = lowerToOnnx(outputs);
    const { bound } = await new ParameterCache(weights).load(graph.parameters);
    await using program = await compile(graph, { weights: bound, threads: 1 });

    for (const [sequence, length] of lengths.entries()) {
      const ids = Int32Array.from(await readInts(golden, `ids.${sequence}`));
      expect(ids.length).toBe(length);
      const identity = new Float32Array(length * length);
      for (let t = 0; t < length; t++) identity[t * length + t] = 1;
      const int32 = (array: Int32Array) => ({ dtype: "int32", shape: [1, length], array }) as const;
      const results = await program.run({
        ids: int32(ids),
        positions: int32(Int32Array.from({ length }, (_, t) => t)),
        segments: int32(new Int32Array(length)),
        pool: { dtype: "float32", shape: [1, length, length], array: identity },
        ...Object.fromEntries(
          [...frequencyInputs].map(([input, rope]) => [
            input,
            {
              dtype: "float32",
              shape: [1, config.rotaryDim / 2],
              array: inverseFrequencies(rope, config.rotaryDim, length),
            } as const,
          ]),
        ),
      });
      for (const layer of all) {
        const want = await readFloats(golden, `hidden.${sequence}.${layer}`);
        const got = results[`layer.${layer}`]!.array as Float32Array;
        const error = relativeError(got, want);
        expect(error, `sequence ${sequence}, layer ${layer}`).toBeLessThan(MAX_RELATIVE_ERROR);
      }
    }
  });
});

type Golden = Awaited<ReturnType<typeof openSafetensors>>;

async function readFloats(file: Golden, name: string): Promise<Float32Array> {
  const bytes = await file.readBytes(name);
  return new Float32Array(bytes.slice().buffer);
}

async function readInts(file: Golden, name: string): Promise<number[]> {
  const bytes = (await file.readBytes(name)).slice().buffer;
  return file.tensors.get(name)!.dtype === "I64"
    ? [...new BigInt64Array(bytes)].map(Number)
    : [...new Int32Array(bytes)];
}
