/** Influence features and gradients of single responses against PyTorch (test/golden/features). */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { batchInputs } from "../src/engine/batch-inputs.ts";
import type { TokenizedExample } from "../src/engine/engine.ts";
import type { Features } from "../src/engine/features.ts";
import { ParameterCache } from "../src/engine/parameter-cache.ts";
import { batchResponses, responseInputs, slotInputs } from "../src/engine/response-inputs.ts";
import { openSafetensors, type SafetensorsFile } from "../src/format/safetensors.ts";
import { openWeights } from "../src/model/checkpoint-weights.ts";
import { projectionValues } from "../src/model/gradient-projection.ts";
import { readModel } from "../src/model/read-model.ts";
import { responseGradients } from "../src/model/response-gradients.ts";
import { bindWeights, compile } from "../src/runtime/ort.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { relativeError } from "./support/close.ts";
import { examplesOf, openGolden } from "./support/golden-checkpoints.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const suite = suiteFolder();
const ROOT = fileURLToPath(new URL("golden/", import.meta.url));
const FILES = `${ROOT}features/`;
const CASES = readdirSync(FILES)
  .filter((name) => name.endsWith(".safetensors"))
  .map((name) => name.slice(0, -".safetensors".length));
const SKETCH = { dims: 256, projection: "rademacher", seed: 7 } as const;
/** As for the gradients of training. */
const MAX_RELATIVE_ERROR = 1e-4;

describe("olmoe", () => {
  it.each([null, "mlp.gate", "experts.0"])(
    "refuses gradients in routed weights: %s",
    async (parameters) => {
      await using engine = await openGolden("olmoe", suite);
      const features: Features = { kind: "gradient", parameters, ...SKETCH };
      const read = async (): Promise<void> => {
        for await (const _ of engine.embed(await examplesOf("olmoe"), { layers: [0], features }));
      };
      await expect(read()).rejects.toThrow(
        /the gradient of "model.layers.0.mlp.*" runs over tokens of all pairs together/,
      );
    },
  );
});

describe.each(CASES)("%s", (name) => {
  it("has PyTorch's influence features at every layer, packed and not", async () => {
    await using engine = await openGolden(name, suite);
    await using file = await openSafetensors(`${FILES}${name}.safetensors`);
    const layers = Array.from({ length: engine.identity.layerCount + 1 }, (_, layer) => layer);
    const features: Features = { kind: "influence", ...SKETCH };
    for (const examples of [await examplesOf(name), await responsesOf(name)]) {
      const got: Float32Array[] = [];
      for await (const { index, means } of engine.embed(examples, { layers, features })) {
        for (const [r, mean] of means.entries()) got[index * means.length + r] = mean;
      }
      for (const layer of layers) {
        const want = await floats(file, `influence.${layer}`);
        const at = layer * SKETCH.dims;
        const flat = got.flatMap((each) => [...each.subarray(at, at + SKETCH.dims)]);
        expect(relativeError(flat, want), `layer ${layer}`).toBeLessThan(MAX_RELATIVE_ERROR);
      }
    }
  });

  it("has PyTorch's gradient of each response in all weights, projected", async () => {
    await using engine = await openGolden(name, suite);
    await using file = await openSafetensors(`${FILES}${name}.safetensors`);
    const features: Features = { kind: "gradient", parameters: null, ...SKETCH };
    const want = await floats(file, "gradient");
    const got: Float32Array[] = [];
    const job = { layers: [0], features };
    for await (const { index, means } of engine.embed(await examplesOf(name), job)) {
      for (const [r, mean] of means.entries()) got[2 * index + r] = mean;
    }
    for (const [r, row] of got.entries()) {
      const expected = want.subarray(r * SKETCH.dims, (r + 1) * SKETCH.dims);
      expect(relativeError(row, expected), `response ${r}`).toBeLessThan(MAX_RELATIVE_ERROR);
    }
  });

  it("has PyTorch's gradient of the projection of each after-response on a direction", async () => {
    await using engine = await openGolden(name, suite);
    await using file = await openSafetensors(`${FILES}${name}.safetensors`);
    const features: Features = {
      kind: "concept",
      parameters: null,
      layer: 1,
      direction: "golden",
      ...SKETCH,
    };
    const raw = Float32Array.from({ length: engine.identity.dim }, (_, j) => Math.sin(1 + j));
    const length = Math.hypot(...raw);
    const direction = raw.map((value) => value / length);
    const want = await floats(file, "concept");
    const got: Float32Array[] = [];
    const job = { layers: [0], features, direction };
    for await (const { index, means } of engine.embed(await examplesOf(name), job)) {
      const [before, after] = means as readonly [Float32Array, Float32Array];
      expect(before.every((value) => value === 0)).toBe(true);
      got[index] = after;
    }
    for (const [r, row] of got.entries()) {
      const expected = want.subarray(r * SKETCH.dims, (r + 1) * SKETCH.dims);
      expect(relativeError(row, expected), `response ${r}`).toBeLessThan(MAX_RELATIVE_ERROR);
    }
  });

  it("has PyTorch's gradient of each response in LoRA's factors, projected", async () => {
    const dir = `${ROOT}checkpoints/${name}`;
    const model = await readModel(dir);
    await using file = await openSafetensors(`${FILES}${name}.safetensors`);
    const graph = responseGradients(model, {
      lora: { rank: 2, scale: 1.5, targets: ["q_proj", "down_proj"] },
      sketch: { left: 16, right: 16 },
    });
    const lowered = lowerToOnnx({ sketch: graph.outputs["sketch"]! });
    const made = new Map(
      graph.projections.map((each) => [each.name, projectionValues(each, SKETCH)]),
    );
    for (const { name: factor, shape } of graph.trained) {
      made.set(factor, transpose(await floats(file, `lora.${factor.slice(0, -2)}`), shape));
    }
    await using weights = await openWeights(dir);
    const { arrays } = await new ParameterCache(weights).load(
      lowered.parameters.filter((each) => !made.has(each.name)),
    );
    await using program = await compile(lowered, {
      threads: 1,
      weights: bindWeights(
        lowered.parameters.map((each) => [
          each.name,
          each.shape as readonly number[],
          (made.get(each.name) ?? arrays.get(each.name))!,
        ]),
      ),
    });
    const examples = await responsesOf(name);
    const batch = examples.map(({ prompt, responses: [response] }, example) => ({
      example,
      responses: [0],
      length: prompt.length + response!.length,
    }));
    const { sketch } = await program.run({
      ...batchInputs(examples, batch, { ...graph, rotaryDim: model.config.rotaryDim }),
      ...responseInputs(examples, batch),
      ...slotInputs(batchResponses(examples, batch), { isMean: false }),
    });
    const want = await floats(file, "lora");
    expect(relativeError(sketch!.array as Float32Array, want)).toBeLessThan(MAX_RELATIVE_ERROR);
  });
});

async function responsesOf(name: string): Promise<TokenizedExample[]> {
  const pairs = await examplesOf(name);
  return pairs.flatMap(({ prompt, responses }) =>
    responses.map((each) => ({ prompt, responses: [each] })),
  );
}

async function floats(file: SafetensorsFile, name: string): Promise<Float32Array> {
  return new Float32Array((await file.readBytes(name)).slice().buffer);
}

/** From [out, in] to the graph's [in, out]. */
function transpose(values: Float32Array, shape: readonly number[]): Float32Array {
  const [rows, columns] = shape as readonly [number, number];
  return Float32Array.from(
    values,
    (_, i) => values[(i % columns) * rows + Math.floor(i / columns)]!,
  );
}
