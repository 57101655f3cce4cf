import type { Message } from "../format/messages.ts";
/** @file The engine that runs on this machine: graphs from model/, arithmetic by runtime/. */
import type { OnnxValue } from "../format/onnx.ts";
import { contextLength } from "../model/context-length.ts";
import { expectHeadFits } from "../model/expect-weights.ts";
import { EMBEDDING } from "../model/language-model-head.ts";
import {
  type ActivationsGraph,
  pooledActivations,
  prefixKeys,
} from "../model/pooled-activations.ts";
import { responseLogprobs } from "../model/response-logprobs.ts";
import type { RopeScaling } from "../model/rope.ts";
import type { Device } from "../runtime/device.ts";
import { compile, type Program, type TensorValue } from "../runtime/ort.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { ConfigError, UnsupportedError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { ActivationError } from "./activation-error.ts";
import { batchInputs, prefixInputs } from "./batch-inputs.ts";
import type {
  EmbeddedExample,
  EmbedOptions,
  Engine,
  EngineIdentity,
  ExampleLogprobs,
  TokenizedExample,
} from "./engine.ts";
import {
  type GeneratedSample,
  type GenerateOptions,
  generateSettings,
  newGenerationCounter,
} from "./generation/generate-options.ts";
import { generateTokens } from "./generation/generate-tokens.ts";
import { streamLogprobs } from "./logprobs.ts";
import { type OpenCheckpoint, openCheckpoint } from "./open-checkpoint.ts";
import { ParameterCache } from "./parameter-cache.ts";
import { planBatches, type PlannedBatch, type PlanLimits } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { sharedPrefixLength } from "./shared-prefix.ts";
import { tokenId, tokenizeExample, tokenizeText } from "./tokenize-example.ts";

/** Tokens of a batch, unless the user says otherwise; see docs/benchmarks.md for the choice. */
export const DEFAULT_BATCH_TOKENS = 1024;
/** Weights that are copied into the graph of a sampling step, at most. */
const MAX_PACKED_BYTES = 2 ** 30;

export interface LocalEngineOptions {
  /** As the user named the checkpoint, for manifests. Default: the folder. */
  readonly name?: string;
  /** Folder of a LoRA adapter in PEFT layout, merged on load. */
  readonly adapter?: string;
  /** "chat" (default): the checkpoint's own template. "raw": turns joined by newlines, as the published code does. */
  readonly template?: "chat" | "raw";
  /** Default "cpu". */
  readonly device?: Device;
  /** Threads inside one op; default: one for each core. */
  readonly threads?: number;
  /** Padded tokens of one batch at most. */
  readonly batchTokens?: number;
  /**
   * "shared": one copy of the weights serves every graph. "constant": written into each graph, which packs them for the matrix
   * kernels; 2 GiB at most. Default: shared, but packed for the steps of sampling where that takes 1 GiB at most, which makes those
   * nearly twice as fast.
   */
  readonly weights?: "shared" | "constant";
}

/** Opens a checkpoint folder in Hugging Face layout. Weights are read when a graph first needs them. */
export async function openLocalEngine(
  dir: string,
  options: LocalEngineOptions = {},
): Promise<Engine> {
  return new LocalEngine(await openCheckpoint(dir, options), options);
}

/** A compiled embedding graph. */
interface EmbedProgram {
  readonly program: Program;
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

class LocalEngine implements Engine {
  readonly identity: EngineIdentity;
  readonly #checkpoint: OpenCheckpoint;
  readonly #options: LocalEngineOptions;
  readonly #parameters: ParameterCache;
  /** By what they give. */
  readonly #programs = new Map<string, EmbedProgram>();

  constructor(checkpoint: OpenCheckpoint, options: LocalEngineOptions) {
    this.identity = checkpoint.identity;
    this.#checkpoint = checkpoint;
    this.#options = options;
    this.#parameters = new ParameterCache(checkpoint.weights);
  }

  tokenize(
    prompt: readonly Message[],
    responses: readonly (readonly Message[])[],
  ): TokenizedExample {
    return tokenizeExample(this.#checkpoint, prompt, responses);
  }

  tokenizeText(text: string): Int32Array {
    return tokenizeText(this.#checkpoint, text);
  }

  get stopTokens(): readonly number[] {
    return this.#checkpoint.stopTokens;
  }

  get contextLength(): number {
    return contextLength(this.#checkpoint.model.config);
  }

  tokenizePrompt(prompt: readonly Message[]): Int32Array {
    return tokenizeExample(this.#checkpoint, prompt, []).prompt;
  }

  tokenId(text: string): number {
    return tokenId(this.#checkpoint, text);
  }

  decode(tokens: Int32Array): string {
    const options = { skipSpecialTokens: true, skipUnknown: true };
    return this.#checkpoint.renderer.tokenizer.decode(tokens, options);
  }

  generate(
    prompts: readonly Int32Array[],
    options: GenerateOptions = {},
  ): AsyncIterable<GeneratedSample> {
    const { model, weights, stopTokens } = this.#checkpoint;
    const settings = generateSettings(options);
    expectHeadFits(model, weights);
    if (options.steering !== undefined || options.amplify !== undefined) {
      throw new UnsupportedError("generate: steering and amplify are not there yet");
    }
    const host = {
      model,
      // Constants are copied into every graph: a graph more would hold one more copy of the weights.
      hasPrefixes: this.#options.weights !== "constant",
      program: (key: string, build: () => ActivationsGraph, { isStep = false } = {}) =>
        this.#program(key, build, isStep && this.#options.weights === undefined),
    };
    return generateTokens(host, prompts, {
      ...settings,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.progress === undefined ? {} : { progress: options.progress }),
      stopTokens: new Set(options.stopTokens ?? stopTokens),
      contextLength: this.contextLength,
      counter: options.counter ?? newGenerationCounter(),
    });
  }

  async *embed(
    examples: readonly TokenizedExample[],
    options: EmbedOptions,
  ): AsyncIterable<EmbeddedExample> {
    const layers = this.#expectLayers(options.layers);
    const limits = this.#planLimits(Math.max(...layers), examples);
    const { program, frequencyInputs } = await this.#embedProgram(layers, limits.prefixLength > 0);
    const prefix = await this.#prefixValues(examples, limits.prefixLength, layers);
    const batches = planBatches(examples, limits);
    const unfinished = new Map<number, (Float32Array | undefined)[]>();
    let finished = 0;
    for (const batch of batches) {
      options.signal?.throwIfAborted();
      const inputs = batchInputs(examples, batch, {
        frequencyInputs,
        headDim: this.#checkpoint.model.config.headDim,
        prefixLength: limits.prefixLength,
      });
      const outputs = await program.run({ ...inputs, ...prefix });
      for (const done of this.#collect(examples, { batch, layers, outputs, unfinished })) {
        yield done;
        finished++;
      }
      options.progress?.update(finished, examples.length);
    }
  }

  async *logprobs(
    examples: readonly TokenizedExample[],
    options: JobOptions = {},
  ): AsyncIterable<ExampleLogprobs> {
    const { model, weights } = this.#checkpoint;
    expectHeadFits(model, weights);
    const made = await this.#program("logprobs", () => {
      const { logprobs, frequencyInputs } = responseLogprobs(model.family, model.config);
      return { outputs: { logprobs }, frequencyInputs };
    });
    const batchTokens = this.#options.batchTokens ?? DEFAULT_BATCH_TOKENS;
    yield* streamLogprobs(made, model, examples, { ...options, batchTokens });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { program } of this.#programs.values()) await program[Symbol.asyncDispose]();
    this.#programs.clear();
    await this.#checkpoint.weights[Symbol.asyncDispose]();
  }

  /** Sorts a batch's outputs back to their examples; yields those that have all their responses. */
  *#collect(
    examples: readonly TokenizedExample[],
    run: {
      batch: PlannedBatch;
      layers: readonly number[];
      outputs: Readonly<Record<string, TensorValue>>;
      unfinished: Map<number, (Float32Array | undefined)[]>;
    },
  ): Iterable<EmbeddedExample> {
    const { dim } = this.identity;
    for (const [r, row] of run.batch.entries()) {
      const count = examples[row.example]!.responses.length; // planned from these examples
      const means =
        run.unfinished.get(row.example) ?? Array.from({ length: count }, () => undefined);
      for (const [slot, response] of row.responses.entries()) {
        const mean = new Float32Array(run.layers.length * dim); // [L, D]
        for (const [l, layer] of run.layers.entries()) {
          const { array, shape } = run.outputs[`layer.${layer}`]!; // [B, R, D]
          const start = (r * shape[1]! + slot) * dim;
          const vector = array.subarray(start, start + dim) as Float32Array; // the graph's outputs are float32
          if (!vector.every(Number.isFinite)) throw new ActivationError(layer, row.example);
          mean.set(vector, l * dim);
        }
        means[response] = mean;
      }
      const complete = means.filter((mean) => mean !== undefined);
      if (complete.length === count) {
        run.unfinished.delete(row.example);
        yield { index: row.example, means: complete };
      } else {
        run.unfinished.set(row.example, means);
      }
    }
  }

  async #embedProgram(layers: readonly number[], hasPrefix: boolean): Promise<EmbedProgram> {
    const { family, config } = this.#checkpoint.model;
    return this.#program(`${hasPrefix ? "prefix, " : ""}layers ${layers.join()}`, () =>
      pooledActivations(family, config, layers, { hasPrefix }),
    );
  }

  /** Keys and values of the prefix that all prompts share, as inputs by name; none where it is empty. */
  async #prefixValues(
    examples: readonly TokenizedExample[],
    prefixLength: number,
    layers: readonly number[],
  ): Promise<Readonly<Record<string, TensorValue>>> {
    const top = Math.max(...layers);
    if (prefixLength === 0 || top === 0) return {};
    const { family, config } = this.#checkpoint.model;
    const { program, frequencyInputs } = await this.#program(`prefix keys ${top}`, () =>
      prefixKeys(family, config, top),
    );
    const prefix = examples[0]!.prompt.slice(0, prefixLength); // no example, no prefix
    return program.run(prefixInputs(prefix, { frequencyInputs, headDim: config.headDim }));
  }

  /** Compiles a graph, or takes it from an earlier call; `mayPack` has its weights packed unless they are large. */
  async #program(
    key: string,
    build: () => ActivationsGraph,
    mayPack = false,
  ): Promise<EmbedProgram> {
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const { outputs, frequencyInputs } = build();
    const shared = lowerToOnnx(outputs);
    const values = await this.#parameters.load(shared.parameters);
    const { device, threads } = this.#options;
    const settings = {
      ...(device === undefined ? {} : { device }),
      ...(threads === undefined ? {} : { threads }),
      weights: values.bound,
    };
    const constants = this.#constantWeights(values.arrays, shared.parameters, mayPack);
    const graph =
      constants === undefined ? shared : lowerToOnnx(outputs, { constantWeights: constants });
    const program = await compile(graph, settings);
    const made = { program, frequencyInputs };
    this.#programs.set(key, made);
    return made;
  }

  #constantWeights(
    arrays: ReadonlyMap<string, Float32Array>,
    parameters: readonly OnnxValue[],
    mayPack: boolean,
  ): ReadonlyMap<string, Float32Array> | undefined {
    if (this.#options.weights === "constant") return arrays;
    if (!mayPack) return undefined;
    // The embedding table is looked up, not multiplied: nothing to pack.
    const packed = parameters.filter(({ name }) => name !== EMBEDDING);
    const constants = new Map(packed.map(({ name }) => [name, arrays.get(name)!])); // loaded for these parameters
    const bytes = [...constants.values()].reduce((sum, each) => sum + each.byteLength, 0);
    return bytes <= MAX_PACKED_BYTES ? constants : undefined;
  }

  #planLimits(top: number, examples: readonly TokenizedExample[]): PlanLimits {
    const { config } = this.#checkpoint.model;
    const ropes = config.attention.slice(0, top).map((each) => each.rope);
    return planLimits(config, top, {
      batchTokens: this.#options.batchTokens ?? DEFAULT_BATCH_TOKENS,
      // Constants are copied into every graph: three graphs would hold three copies of the weights.
      prefixLength: this.#options.weights === "constant" ? 0 : sharedPrefixLength(examples, ropes),
    });
  }

  #expectLayers(layers: readonly number[]): readonly number[] {
    const { layerCount } = this.identity;
    const bad = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer > layerCount);
    if (bad !== undefined || layers.length === 0) {
      throw new ConfigError(
        `layers: expected whole numbers from 0 (embeddings) to ${layerCount} (after the last block), got ${layers.length === 0 ? "none" : String(bad)}`,
      );
    }
    return [...new Set(layers)];
  }
}
