/** A family of one file and one line: Gemma, as only this test knows it, against transformers (test/golden/gemma). */
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { batchInputs } from "../src/engine/batch-inputs.ts";
import type { TokenizedExample } from "../src/engine/engine.ts";
import { batchResponses, responseInputs, tokenWeights } from "../src/engine/response-inputs.ts";
import { openSafetensors } from "../src/format/safetensors.ts";
import { openWeights } from "../src/model/checkpoint-weights.ts";
import { expectHeadFits, expectWeightsFit } from "../src/model/expect-weights.ts";
import { FAMILIES } from "../src/model/families/index.ts";
import { initialWeights } from "../src/model/initial-weights.ts";
import { TRANSPOSED } from "../src/model/layers.ts";
import { LLAMA_LIKE } from "../src/model/llama-like.ts";
import {
  COMMON_CONFIG,
  commonModelConfig,
  NEUTRAL_CONFIG,
  parseConfig,
} from "../src/model/model-config.ts";
import type { ModelFamily } from "../src/model/model-family.ts";
import { pooledActivations, residualStream } from "../src/model/pooled-activations.ts";
import { readModel } from "../src/model/read-model.ts";
import { gradientName, trainingGraph } from "../src/model/training-graph.ts";
import { uniformAttention } from "../src/model/uniform-attention.ts";
import { parameter, scalar } from "../src/tensor/graph.ts";
import { add, multiply } from "../src/tensor/ops/arithmetic.ts";
import { rmsNorm } from "../src/tensor/ops/rms-norm.ts";
import { tanhGelu } from "../src/tensor/ops/unary.ts";
import { relativeError } from "./support/close.ts";
import { goldenHost, runGreedy } from "./support/generation.ts";
import { transposed } from "./support/matrix.ts";

// This is the one file.
const SHAPE = {
  ...NEUTRAL_CONFIG,
  ...COMMON_CONFIG,
  hidden_act: z.literal("gelu_pytorch_tanh"),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.literal(false).default(false),
};

const gemma: ModelFamily = {
  ...LLAMA_LIKE,
  name: "gemma",
  modelTypes: ["gemma"],
  readConfig(config, where) {
    const raw = parseConfig(where, SHAPE, config);
    return {
      ...commonModelConfig(where, raw),
      attention: uniformAttention(where, raw, undefined),
    };
  },
  embed: (ids, config) => multiply(LLAMA_LIKE.embed(ids, config), scalar(Math.sqrt(config.dim))),
  norm: {
    apply(x, name, { epsilon }) {
      const weight = parameter(`${name}.weight`, [x.shape.at(-1) as number]); // widths have no names
      return rmsNorm(x, add(weight, scalar(1)), epsilon);
    },
    initial: 0,
  },
  activation: tanhGelu,
};

// And this is the line.
const WITH_GEMMA = [...FAMILIES, gemma];

const DIR = fileURLToPath(new URL("golden/gemma", import.meta.url));
const SEQUENCES = 3;
/** The figure to reach, as for the other families. */
const MAX_RELATIVE_ERROR = 1e-4;

const model = await readModel(DIR, WITH_GEMMA);
const { config } = model;
const layers = Array.from({ length: config.layerCount + 1 }, (_, layer) => layer);
const { golden, ids } = await readGolden();

describe("a family with scaled embeddings, norms of 1 + w, GELU and a tied head", () => {
  it("is unknown without its line", async () => {
    await expect(readModel(DIR)).rejects.toThrow(/model_type "gemma" is not supported/);
  });

  it("says which weights a checkpoint has, and what they are before training", async () => {
    await using weights = await openWeights(DIR);
    expect(config.isTied).toBe(true);
    expectWeightsFit(model, weights, DIR);
    expectHeadFits(model, weights);
    const initial = initialWeights(model, 1, 0.02);
    expect(initial.map(({ name }) => name).toSorted()).toEqual([...weights.names()].toSorted());
    for (const { name, values } of initial) {
      expect(
        values.every((each) => each === 0),
        `${name} is zero`,
      ).toBe(name.endsWith("norm.weight"));
    }
  });

  it("embeds and predicts as transformers does, at every layer and token", async () => {
    await using host = await goldenHost(DIR, undefined, WITH_GEMMA);
    const { program, frequencyInputs } = await host.program("all", () => {
      const { outputs, frequencyInputs: frequencies } = pooledActivations(model, layers);
      const logits = model.family.head(residualStream(model).stream, model);
      return { outputs: { ...outputs, logits }, frequencyInputs: frequencies };
    });
    for (const [i, prompt] of ids.entries()) {
      const { length } = prompt;
      const identity = Float32Array.from({ length: length ** 2 }, (_, j) =>
        j % (length + 1) === 0 ? 1 : 0,
      );
      const results = await program.run({
        ...batchInputs([{ prompt, responses: [] }], [{ example: 0, responses: [], length }], {
          frequencyInputs,
          rotaryDim: config.rotaryDim,
        }),
        pool: { dtype: "float32", shape: [1, length, length], array: identity },
      });
      for (const layer of layers) {
        expectClose(results[`layer.${layer}`]!.array, `hidden.${i}.${layer}`);
      }
      expectClose(results["logits"]!.array, `logits.${i}`);
    }
  });

  it("continues prompts as transformers does", async () => {
    await using host = await goldenHost(DIR, undefined, WITH_GEMMA);
    const prompts = ids.map((each) => [...each]);
    const got = await runGreedy(host, prompts, { maxTokens: 16 });
    expect(got).toEqual(ids.map((_, i) => [...(golden.get(`next.${i}`) as Int32Array)]));
  });

  it("has transformers' loss and gradient of every weight, the tied table's from both its uses", async () => {
    await using host = await goldenHost(DIR, undefined, WITH_GEMMA);
    const graph = trainingGraph(model, { objective: { kind: "sft" } });
    const { program, frequencyInputs } = await host.program("training", () => graph);
    const examples: TokenizedExample[] = ids.map((each) => ({
      prompt: each.slice(0, 1),
      responses: [each.slice(1)],
    }));
    const batch = ids.map(({ length }, example) => ({ example, responses: [0], length }));
    const responses = batchResponses(examples, batch);
    const tokens = responses.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    const results = await program.run({
      ...batchInputs(examples, batch, { frequencyInputs, rotaryDim: config.rotaryDim }),
      ...responseInputs(examples, batch),
      ...tokenWeights(responses, 1 / tokens),
    });
    expectClose(results["loss"]!.array, "loss");
    const wanted = [...golden.keys()].filter((name) => name.startsWith("gradient."));
    expect(graph.trained).toHaveLength(wanted.length);
    for (const { name, shape } of graph.trained) {
      const got = results[gradientName(name)]!.array as Float32Array;
      if (!name.endsWith(TRANSPOSED)) {
        expectClose(got, `gradient.${name}`);
        continue;
      }
      const [rows, cols] = shape as [number, number];
      const stored = transposed({ rows, cols, values: got }).values;
      expectClose(stored, `gradient.${name.slice(0, -TRANSPOSED.length)}`);
    }
  });
});

function expectClose(got: ArrayLike<number | bigint>, name: string): void {
  const values = got as ArrayLike<number>; // no graph here gives 64-bit integers
  expect(relativeError(values, golden.get(name)!), `${name} of transformers`).toBeLessThan(
    MAX_RELATIVE_ERROR,
  );
}

async function readGolden(): Promise<{
  golden: ReadonlyMap<string, Float32Array | Int32Array>;
  ids: readonly Int32Array[];
}> {
  await using file = await openSafetensors(`${DIR}/golden.safetensors`);
  const tensors = new Map<string, Float32Array | Int32Array>();
  for (const [name, { dtype }] of file.tensors) {
    const { buffer } = (await file.readBytes(name)).slice();
    tensors.set(name, dtype === "I32" ? new Int32Array(buffer) : new Float32Array(buffer));
  }
  const sequence = (i: number): Int32Array => tensors.get(`ids.${i}`) as Int32Array; // as make_gemma.py says
  return { golden: tensors, ids: Array.from({ length: SEQUENCES }, (_, i) => sequence(i)) };
}
