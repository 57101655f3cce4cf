import type { Message } from "../format/messages.ts";
/** @file The engine that runs on this machine: graphs from model/, arithmetic by runtime/. */
import { contextLength } from "../model/context-length.ts";
import { expectHeadFits } from "../model/expect-weights.ts";
import { pooledActivations, prefixKeys } from "../model/pooled-activations.ts";
import { responseLogprobs } from "../model/response-logprobs.ts";
import type { Device } from "../runtime/device.ts";
import type { TensorValue } from "../runtime/ort.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { batchInputs, prefixInputs } from "./batch-inputs.ts";
import { MeansCollector } from "./collect-means.ts";
import type {
  EmbeddedExample,
  EmbedOptions,
  Engine,
  EngineIdentity,
  ExampleLogprobs,
  TokenizedExample,
} from "./engine.ts";
import { type Amplification, expectAmplification } from "./generation/amplification.ts";
import {
  type GeneratedSample,
  type GenerateOptions,
  generateSettings,
  newGenerationCounter,
} from "./generation/generate-options.ts";
import { type GenerateJob, generateTokens } from "./generation/generate-tokens.ts";
import type { GenerationHost } from "./generation/generation-host.ts";
import { changesNothing, expectSteering } from "./generation/steering.ts";
import { type GraphProgram, GraphPrograms } from "./graph-programs.ts";
import { streamLogprobs } from "./logprobs.ts";
import { type OpenCheckpoint, openCheckpoint } from "./open-checkpoint.ts";
import { planBatches, type PlanLimits } from "./plan-batches.ts";
import { planLimits } from "./plan-limits.ts";
import { sharedPrefixLength } from "./shared-prefix.ts";
import { tokenId, tokenizeExample, tokenizeText } from "./tokenize-example.ts";

/** Tokens of a batch, unless the user says otherwise; see docs/benchmarks.md for the choice. */
export const DEFAULT_BATCH_TOKENS = 1024;

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

class LocalEngine implements Engine {
  readonly identity: EngineIdentity;
  readonly #checkpoint: OpenCheckpoint;
  readonly #options: LocalEngineOptions;
  readonly #programs: GraphPrograms;

  constructor(checkpoint: OpenCheckpoint, options: LocalEngineOptions) {
    this.identity = checkpoint.identity;
    this.#checkpoint = checkpoint;
    this.#options = options;
    this.#programs = new GraphPrograms(checkpoint.weights, options);
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
    const settings = generateSettings(options);
    const { steering, signal, progress } = options;
    if (steering !== undefined) expectSteering(steering, this.identity);
    const amplify = this.#amplification(options.amplify);
    return generateTokens(this.#generationHost(), prompts, {
      ...settings,
      ...(signal === undefined ? {} : { signal }),
      ...(progress === undefined ? {} : { progress }),
      // Without a change the unchanged graph runs, not one that adds zeros.
      ...(steering === undefined || changesNothing(steering) ? {} : { steering }),
      ...(amplify === undefined ? {} : { amplify }),
      stopTokens: new Set(options.stopTokens ?? this.stopTokens),
      contextLength: Math.min(
        this.contextLength,
        amplify === undefined ? Infinity : contextLength(amplify.before.model.config),
      ),
      counter: options.counter ?? newGenerationCounter(),
    });
  }

  /** The other model's graphs, or undefined where nothing is amplified. */
  #amplification(amplify: Amplification | undefined): GenerateJob["amplify"] {
    if (amplify === undefined) return undefined;
    const { before, alpha } = amplify;
    expectAmplification(amplify, this.identity);
    if (!(before instanceof LocalEngine)) {
      throw new ConfigError("amplify.before: expected an engine that runs on this machine", {
        hint: "Open the checkpoint before with openEngine.",
      });
    }
    const [own, other] = [this, before].map((each) => each.#checkpoint.model.config.vocabSize);
    if (own !== other) {
      throw new ConfigError(
        `amplify.before: expected a vocabulary of ${own} tokens, that of the checkpoint sampled from, got ${other}`,
        { hint: "Take the checkpoint that training started from." },
      );
    }
    return alpha === 0 ? undefined : { before: before.#generationHost(), alpha };
  }

  #generationHost(): GenerationHost {
    const { model, weights } = this.#checkpoint;
    expectHeadFits(model, weights);
    return {
      model,
      // Constants are copied into every graph: a graph more would hold one more copy of the weights.
      hasPrefixes: this.#options.weights !== "constant",
      program: (key, build, { isStep = false } = {}) => this.#programs.program(key, build, isStep),
    };
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
    const collector = new MeansCollector(examples, layers, this.identity.dim);
    let finished = 0;
    for (const batch of batches) {
      options.signal?.throwIfAborted();
      const inputs = batchInputs(examples, batch, {
        frequencyInputs,
        headDim: this.#checkpoint.model.config.headDim,
        prefixLength: limits.prefixLength,
      });
      const outputs = await program.run({ ...inputs, ...prefix });
      for (const done of collector.add(batch, outputs)) {
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
    const made = await this.#programs.program("logprobs", () => {
      const { logprobs, frequencyInputs } = responseLogprobs(model.family, model.config);
      return { outputs: { logprobs }, frequencyInputs };
    });
    const batchTokens = this.#options.batchTokens ?? DEFAULT_BATCH_TOKENS;
    yield* streamLogprobs(made, model, examples, { ...options, batchTokens });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#programs[Symbol.asyncDispose]();
    await this.#checkpoint.weights[Symbol.asyncDispose]();
  }

  async #embedProgram(layers: readonly number[], hasPrefix: boolean): Promise<GraphProgram> {
    const { family, config } = this.#checkpoint.model;
    return this.#programs.program(`${hasPrefix ? "prefix, " : ""}layers ${layers.join()}`, () =>
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
    const { program, frequencyInputs } = await this.#programs.program(`prefix keys ${top}`, () =>
      prefixKeys(family, config, top),
    );
    const prefix = examples[0]!.prompt.slice(0, prefixLength); // no example, no prefix
    return program.run(prefixInputs(prefix, { frequencyInputs, headDim: config.headDim }));
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
