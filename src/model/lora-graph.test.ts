import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { openSafetensors } from "../format/safetensors.ts";
import { bindWeights, compile, type TensorValue } from "../runtime/ort.ts";
import type { Tensor } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { type CheckpointWeights, openWeights } from "./checkpoint-weights.ts";
import { TRANSPOSED } from "./layers.ts";
import { addLora, linearModules } from "./lora-graph.ts";
import { applyLora } from "./lora.ts";
import { pooledActivations } from "./pooled-activations.ts";
import { readModel } from "./read-model.ts";
import { inverseFrequencies } from "./rope.ts";
import { PieceBuffers, readTensorAsFloat32 } from "./weights-read.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/lora/", import.meta.url));
const BASE = `${GOLDEN}base`;

const model = await readModel(BASE);
const { config } = model;
const activations = (): ReturnType<typeof pooledActivations> =>
  pooledActivations(model, [config.layerCount]);

async function run(
  outputs: Readonly<Record<string, Tensor>>,
  read: (name: string) => Promise<Float32Array>,
): Promise<Float32Array> {
  const graph = lowerToOnnx(outputs);
  const weights: [string, readonly number[], Float32Array][] = [];
  for (const { name, shape } of graph.parameters) {
    weights.push([name, shape as readonly number[], await read(name)]);
  }
  await using program = await compile(graph, { weights: bindWeights(weights) });
  const results = await program.run(inputs());
  return results[`layer.${config.layerCount}`]!.array as Float32Array;
}

function inputs(): Record<string, TensorValue> {
  const { frequencyInputs } = activations();
  const row = (values: number[]): TensorValue => ({
    dtype: "int32",
    shape: [1, values.length],
    array: Int32Array.from(values),
  });
  return {
    ids: row([3, 1, 4, 1, 5]),
    positions: row([0, 1, 2, 3, 4]),
    segments: row([0, 0, 1, 1, 1]),
    pool: { dtype: "float32", shape: [1, 1, 5], array: new Float32Array([0, 0, 1, 1, 1]) },
    ...Object.fromEntries(
      [...frequencyInputs].map(([name, rope]) => [
        name,
        {
          dtype: "float32",
          shape: [1, config.rotaryDim / 2],
          array: inverseFrequencies(rope, config.rotaryDim, 5),
        } as const,
      ]),
    ),
  };
}

const readFrom = (weights: CheckpointWeights) => (name: string) =>
  name.endsWith(TRANSPOSED)
    ? weights.readFloat32(name.slice(0, -TRANSPOSED.length), { transpose: true })
    : weights.readFloat32(name);

describe("LoRA factors in a graph", () => {
  it("gives what the merged weights give", async () => {
    const { outputs, factors } = addLora(activations().outputs, {
      rank: 4,
      scale: 4,
      targets: ["q_proj", "v_proj"],
    });
    expect(factors).toHaveLength(2 * config.layerCount);
    await using base = await openWeights(BASE);
    await using file = await openSafetensors(`${GOLDEN}plain/adapter_model.safetensors`);
    const got = await run(outputs, (name) =>
      name.includes(".lora_")
        ? readTensorAsFloat32(
            file,
            `base_model.model.${name.slice(0, -TRANSPOSED.length)}`,
            new PieceBuffers(),
            { transpose: true },
          )
        : readFrom(base)(name),
    );
    await using merged = await applyLora(await openWeights(BASE), `${GOLDEN}plain`);
    const want = await run(activations().outputs, readFrom(merged));
    await using plain = await openWeights(BASE);
    const without = await run(activations().outputs, readFrom(plain));
    const distance = (a: Float32Array, b: Float32Array): number =>
      Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    expect(distance(got, want)).toBeLessThan(1e-5);
    expect(distance(without, want)).toBeGreaterThan(1e-2);
  });

  it("adapts every linear layer of the blocks where no target is given, and nothing where none fits", () => {
    const { outputs } = activations();
    const { factors } = addLora(outputs, { rank: 2, scale: 1, targets: undefined });
    expect(factors.map(({ module }) => module).toSorted()).toEqual(
      [...linearModules(outputs)].toSorted(),
    );
    expect(factors).toHaveLength(7 * config.layerCount);
    expect(addLora(outputs, { rank: 2, scale: 1, targets: ["proj"] }).factors).toHaveLength(0);
  });
});
