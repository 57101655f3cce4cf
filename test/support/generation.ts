import { batchInputs } from "../../src/engine/batch-inputs.ts";
import {
  generateSettings,
  type GenerateOptions,
  newGenerationCounter,
} from "../../src/engine/generation/generate-options.ts";
import { type GenerateJob, generateTokens } from "../../src/engine/generation/generate-tokens.ts";
import type { GenerationHost } from "../../src/engine/generation/generation-host.ts";
import { ParameterCache } from "../../src/engine/parameter-cache.ts";
import type { ModelFamily } from "../../src/model/model-family.ts";
import { openModel } from "../../src/model/open-model.ts";
import { residualStream } from "../../src/model/pooled-activations.ts";
import { compile } from "../../src/runtime/ort.ts";
import { lowerToOnnx } from "../../src/tensor/lower.ts";

/** Runs the graphs of a checkpoint folder that has no tokenizer, with an adapter if one is named; `families` as in readModel. */
export async function goldenHost(
  dir: string,
  adapter?: string,
  families?: readonly ModelFamily[],
): Promise<GenerationHost & AsyncDisposable> {
  const { model, weights } = await openModel(dir, { adapter, families });
  const parameters = new ParameterCache(weights);
  const programs = new Map<string, Awaited<ReturnType<GenerationHost["program"]>>>();
  return {
    model,
    hasPrefixes: true,
    async program(key, build) {
      const known = programs.get(key);
      if (known !== undefined) return known;
      const { outputs, frequencyInputs } = build();
      const graph = lowerToOnnx(outputs);
      const { bound } = await parameters.load(graph.parameters);
      const program = await compile(graph, { weights: bound, threads: 1 });
      programs.set(key, { program, frequencyInputs });
      return { program, frequencyInputs };
    },
    async [Symbol.asyncDispose]() {
      for (const { program } of programs.values()) await program[Symbol.asyncDispose]();
      await weights[Symbol.asyncDispose]();
    },
  };
}

/** Logits of a checkpoint folder behind the last token, with an adapter if one is named. */
export async function lastLogits(
  dir: string,
  ids: readonly number[],
  adapter?: string,
): Promise<ArrayLike<number>> {
  await using host = await goldenHost(dir, adapter);
  const { family, config } = host.model;
  const { program, frequencyInputs } = await host.program("logits", () => {
    const { stream, frequencyInputs: frequencies } = residualStream(host.model);
    return {
      outputs: { logits: family.head(stream, host.model) },
      frequencyInputs: frequencies,
    };
  });
  const { length } = ids;
  const { pool: _, ...inputs } = batchInputs(
    [{ prompt: Int32Array.from(ids), responses: [] }],
    [{ example: 0, responses: [], length }],
    { frequencyInputs, rotaryDim: config.rotaryDim },
  );
  const results = await program.run(inputs);
  return (results["logits"]!.array as Float32Array).subarray((length - 1) * config.vocabSize);
}

/** Options of a run without an engine; `amplifyBy` stands for `amplify`. */
export interface RunOptions extends Omit<GenerateOptions, "amplify"> {
  readonly contextLength?: number;
  readonly amplifyBy?: NonNullable<GenerateJob["amplify"]>;
}

/** Samples of each prompt, in order of sample number, without stop tokens or a limit of the context unless given. */
export async function runSamples(
  host: GenerationHost,
  prompts: readonly (readonly number[])[],
  { contextLength = 10_000, amplifyBy, ...options }: RunOptions = {},
): Promise<number[][][]> {
  const settings = generateSettings(options);
  const result: number[][][] = prompts.map(() => []);
  const job = {
    ...settings,
    stopTokens: new Set(options.stopTokens),
    contextLength,
    counter: options.counter ?? newGenerationCounter(),
    ...(options.steering === undefined ? {} : { steering: options.steering }),
    ...(amplifyBy === undefined ? {} : { amplify: amplifyBy }),
  };
  const tokens = prompts.map((prompt) => Int32Array.from(prompt));
  for await (const each of generateTokens(host, tokens, job)) {
    result[each.prompt]![each.sample - settings.firstSample] = [...each.tokens];
  }
  return result;
}

/** The greedy continuation of each prompt. */
export async function runGreedy(
  host: GenerationHost,
  prompts: readonly (readonly number[])[],
  options: RunOptions = {},
): Promise<number[][]> {
  const samples = await runSamples(host, prompts, { ...options, temperature: 0 });
  return samples.map(([first]) => first!);
}
