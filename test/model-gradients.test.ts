/** Losses and gradients of whole models against transformers (test/golden/gradients), and of LoRA's factors against those. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { batchInputs } from "../src/engine/batch-inputs.ts";
import type { TokenizedExample } from "../src/engine/engine.ts";
import { ParameterCache } from "../src/engine/parameter-cache.ts";
import type { PlannedBatch } from "../src/engine/plan-batches.ts";
import {
  batchResponses,
  pairInputs,
  responseInputs,
  tokenWeights,
} from "../src/engine/response-inputs.ts";
import { openSafetensors, type SafetensorsFile } from "../src/format/safetensors.ts";
import { openWeights } from "../src/model/checkpoint-weights.ts";
import { TRANSPOSED } from "../src/model/layers.ts";
import type { LoadedModel } from "../src/model/model-family.ts";
import { readModel } from "../src/model/read-model.ts";
import {
  gradientName,
  trainingGraph,
  type TrainingGraph,
  type TrainingGraphSettings,
} from "../src/model/training-graph.ts";
import { bindWeights, compile, type Program } from "../src/runtime/ort.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { createRng } from "../src/util/rng.ts";
import { expectAllClose, relativeError } from "./support/close.ts";
import { type Matrix, multiplyMatrices, transposed } from "./support/matrix.ts";

const ROOT = fileURLToPath(new URL("golden/", import.meta.url));
/** The figure to reach, for the gradient of every parameter. */
const MAX_RELATIVE_ERROR = 2e-5;

const golden = JSON.parse(readFileSync(`${ROOT}gradients/cases.json`, "utf8")) as {
  cases: string[];
  beta: number;
  labelSmoothing: number;
  pairs: number;
};
const DPO = {
  objective: {
    kind: "dpo",
    beta: golden.beta,
    labelSmoothing: golden.labelSmoothing,
    lengthNormalized: true,
  },
} as const satisfies TrainingGraphSettings;
const SFT = { objective: { kind: "sft" } } as const satisfies TrainingGraphSettings;

describe.each(golden.cases)("%s", (name) => {
  it.each([
    ["dpo", DPO],
    ["sft", SFT],
  ] as const)(
    "has transformers' %s loss, log-probabilities and gradients",
    async (loss, settings) => {
      await using setup = await open(name, settings);
      const { file, graph } = setup;
      const results = await setup.run([packed(setup.examples)]);
      expectAllClose(results["loss"]!, await floats(file, `${loss}.loss`), { rtol: 1e-5 });
      expectAllClose(results["logprobs"]!, await floats(file, "logprobs"), { rtol: 1e-5 });
      const names = [...file.tensors.keys()].filter(
        (each) => each.startsWith(`${loss}.`) && each.endsWith(".norm"),
      );
      expect(graph.trained).toHaveLength(names.length);
      for (const { name: parameter, shape } of graph.trained) {
        const gradient = results[gradientName(parameter)]!;
        const { stored, projections } = project(parameter, shape, gradient);
        for (const [part, got] of Object.entries(projections)) {
          const error = relativeError(got, await floats(file, `${loss}.${stored}.${part}`));
          expect(error, `${stored} ${part}`).toBeLessThan(MAX_RELATIVE_ERROR);
        }
      }
    },
  );
});

describe("a step in several runs", () => {
  it.each([
    ["dpo", "llama", DPO],
    ["dpo", "olmo3", DPO],
    ["sft", "qwen3", SFT],
    ["sft", "olmoe", SFT],
  ] as const)("has the %s loss and gradients of one run (%s)", async (_, name, settings) => {
    await using setup = await open(name, settings);
    const whole = await setup.run([packed(setup.examples)]);
    const alone = await setup.run(setup.examples.map((_each, i) => packed(setup.examples, [i])));
    const apart = await setup.run([unpacked(setup.examples)]);
    for (const key of ["loss", ...setup.graph.trained.map((each) => gradientName(each.name))]) {
      expect(relativeError(alone[key]!, whole[key]!), `${key} one by one`).toBeLessThan(1e-5);
      expect(relativeError(apart[key]!, whole[key]!), `${key} in rows of their own`).toBeLessThan(
        1e-5,
      );
    }
  });
});

describe("LoRA", () => {
  it("has gradients that follow from those of the merged weights: dA = s·dW·Bᵀ, dB = s·Aᵀ·dW", async () => {
    const lora = { rank: 3, scale: 0.7, targets: ["q_proj", "down_proj"] };
    const rng = createRng(5);
    const random = new Map<string, Float32Array>();
    const factor = (name: string, shape: readonly number[]): Float32Array => {
      const made =
        random.get(name) ??
        Float32Array.from({ length: shape[0]! * shape[1]! }, () => 0.2 * rng.normal());
      random.set(name, made);
      return made;
    };
    await using adapted = await open("llama", { ...DPO, lora }, { factor });
    expect(adapted.graph.trained).toHaveLength(2 * 2 * 3);
    expect(adapted.graph.trained.every((each) => each.name.includes("lora_"))).toBe(true);
    const got = await adapted.run([packed(adapted.examples)]);
    const merge = (name: string, weight: Float32Array): Float32Array => {
      const found = adapted.graph.factors.find(
        ({ module }) => name === `${module}.weight${TRANSPOSED}`,
      );
      if (found === undefined) return weight;
      const product = multiplyMatrices(matrixOf(found.a, random), matrixOf(found.b, random));
      return weight.map((each, i) => each + lora.scale * product.values[i]!);
    };
    await using merged = await open("llama", DPO, { merge });
    const want = await merged.run([packed(merged.examples)]);
    expectAllClose(got["loss"]!, want["loss"]!, { rtol: 1e-5 });
    for (const { module, a, b } of adapted.graph.factors) {
      const [inDim, rank] = a.shape as [number, number];
      const outDim = b.shape[1] as number;
      const dW = {
        rows: inDim,
        cols: outDim,
        values: want[gradientName(`${module}.weight${TRANSPOSED}`)]!,
      };
      const dA = multiplyMatrices(dW, transposed(matrixOf(b, random)));
      const dB = multiplyMatrices(transposed(matrixOf(a, random)), dW);
      expect(dA.cols).toBe(rank);
      for (const [tensor, product] of [
        [a, dA],
        [b, dB],
      ] as const) {
        const gradient = got[gradientName(nameOf(tensor))]!;
        expect(
          relativeError(
            gradient,
            product.values.map((each) => lora.scale * each),
          ),
        ).toBeLessThan(1e-4);
      }
    }
  });
});

interface Setup extends AsyncDisposable {
  readonly graph: TrainingGraph;
  readonly file: SafetensorsFile;
  readonly examples: readonly TokenizedExample[];
  /** Sums of loss and gradients over the batches; other outputs of the last. */
  run(batches: readonly PlannedBatch[]): Promise<Record<string, Float32Array>>;
}

async function open(
  name: string,
  settings: TrainingGraphSettings,
  change: {
    factor?: (name: string, shape: readonly number[]) => Float32Array;
    merge?: (name: string, weight: Float32Array) => Float32Array;
  } = {},
): Promise<Setup> {
  const dir = `${ROOT}checkpoints/${name}`;
  const model = await readModel(dir);
  const file = await openSafetensors(`${ROOT}gradients/${name}.safetensors`);
  const examples = await readExamples(file);
  const reference = await floats(file, "reference");
  const graph = trainingGraph(model, settings);
  const lowered = lowerToOnnx(graph.outputs);
  await using weights = await openWeights(dir);
  const { arrays } = await new ParameterCache(weights).load(
    lowered.parameters.filter((each) => !each.name.includes("lora_")),
  );
  const bound = lowered.parameters.map(({ name: parameter, shape }) => {
    const sizes = shape as readonly number[];
    const stored = arrays.get(parameter) ?? change.factor!(parameter, sizes);
    return [parameter, sizes, change.merge?.(parameter, stored) ?? stored] as const;
  });
  const program = await compile(lowered, { weights: bindWeights(bound), threads: 1 });
  return {
    graph,
    file,
    examples,
    run: (batches) => runBatches(program, { model, graph, examples, reference, batches }),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await file[Symbol.asyncDispose]();
    },
  };
}

interface Run {
  readonly model: LoadedModel;
  readonly graph: TrainingGraph;
  readonly examples: readonly TokenizedExample[];
  readonly reference: Float32Array;
  readonly batches: readonly PlannedBatch[];
}

async function runBatches(program: Program, run: Run): Promise<Record<string, Float32Array>> {
  const { model, graph, examples, reference, batches } = run;
  const tokens = batches
    .flatMap((batch) => batchResponses(examples, batch))
    .reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  const totals: Record<string, Float32Array> = {};
  for (const batch of batches) {
    const responses = batchResponses(examples, batch);
    const results = await program.run({
      ...batchInputs(examples, batch, {
        frequencyInputs: graph.frequencyInputs,
        rotaryDim: model.config.rotaryDim,
      }),
      ...responseInputs(examples, batch),
      ...tokenWeights(responses, 1 / tokens),
      ...pairInputs(responses, (i) => ({
        reference: [reference[2 * i]!, reference[2 * i + 1]!],
        weight: 1 / examples.length,
      })),
    });
    for (const [key, { array }] of Object.entries(results)) {
      const isSum = key === "loss" || key.startsWith("gradient:");
      const values = array as Float32Array;
      totals[key] = isSum ? values.map((each, i) => each + (totals[key]?.[i] ?? 0)) : values;
    }
  }
  return totals;
}

/** One row a pair: [prompt | chosen | rejected]. */
function packed(
  examples: readonly TokenizedExample[],
  which = examples.map((_, i) => i),
): PlannedBatch {
  return which.map((example) => {
    const { prompt, responses } = examples[example]!;
    const length = responses.reduce((sum, each) => sum + each.length, prompt.length);
    return { example, responses: [0, 1], length };
  });
}

/** One row a response. */
function unpacked(examples: readonly TokenizedExample[]): PlannedBatch {
  return examples.flatMap(({ prompt, responses }, example) =>
    responses.map((each, i) => ({ example, responses: [i], length: prompt.length + each.length })),
  );
}

async function readExamples(file: SafetensorsFile): Promise<TokenizedExample[]> {
  const ids = async (name: string): Promise<Int32Array> =>
    new Int32Array((await file.readBytes(name)).slice().buffer);
  return Promise.all(
    Array.from({ length: golden.pairs }, async (_, i) => ({
      prompt: await ids(`pair.${i}.prompt`),
      responses: [await ids(`pair.${i}.chosen`), await ids(`pair.${i}.rejected`)],
    })),
  );
}

async function floats(file: SafetensorsFile, name: string): Promise<Float32Array> {
  return new Float32Array((await file.readBytes(name)).slice().buffer);
}

/** The projections of make_gradients.py, of the gradient as a checkpoint stores its parameter. */
function project(
  parameter: string,
  shape: readonly number[],
  gradient: Float32Array,
): { stored: string; projections: Record<string, ArrayLike<number>> } {
  const norm = [Math.hypot(...gradient)];
  if (shape.length === 1) return { stored: parameter, projections: { norm, rows: gradient } };
  const [rows, cols] = shape as [number, number];
  const isTransposed = parameter.endsWith(TRANSPOSED);
  const given = { rows, cols, values: gradient };
  const matrix = isTransposed ? transposed(given) : given;
  const column = (size: number, f: (x: number) => number): Matrix => ({
    rows: size,
    cols: 1,
    values: Array.from({ length: size }, (_, i) => f(1 + i)),
  });
  return {
    stored: isTransposed ? parameter.slice(0, -TRANSPOSED.length) : parameter,
    projections: {
      norm,
      rows: multiplyMatrices(matrix, column(matrix.cols, Math.sin)).values,
      columns: multiplyMatrices(transposed(matrix), column(matrix.rows, Math.cos)).values,
    },
  };
}

function nameOf({ source }: { source: { kind: string; name?: string } }): string {
  return source.name!;
}

function matrixOf(
  tensor: { shape: readonly (number | string)[]; source: { kind: string; name?: string } },
  values: ReadonlyMap<string, Float32Array>,
): Matrix {
  const [rows, cols] = tensor.shape as [number, number];
  return { rows, cols, values: values.get(nameOf(tensor))! };
}
