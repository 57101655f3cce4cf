import type { Message, RowContext } from "../format/messages.ts";
/** @file The engine that runs on this machine: graphs from model/, arithmetic by runtime/. */
import { createResponseDecoder, type ResponseDecoder } from "../model/decode-response.ts";
import { expectHeadFits } from "../model/expect-weights.ts";
import { predictingStates, responseLogprobs } from "../model/response-logprobs.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import type {
  EmbeddedExample,
  EmbedOptions,
  Engine,
  EngineIdentity,
  ExampleLogprobs,
  LogprobOptions,
  PredictingStates,
  TokenActivations,
  TokenizedExample,
  TokenOptions,
} from "./engine.ts";
import { expectLayers, isAlongRun, STATES } from "./features.ts";
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
import { GraphPrograms } from "./graph-programs.ts";
import { DEFAULT_BATCH_TOKENS, type LocalEngineOptions } from "./local-engine-options.ts";
import { streamLogprobs, streamPredictingStates } from "./logprobs.ts";
import { type OpenCheckpoint, openCheckpoint } from "./open-checkpoint.ts";
import { expectFull, expectPrecision } from "./precision.ts";
import { steerResponses } from "./response-steering.ts";
import { streamFeatures } from "./stream-features.ts";
import { streamMeans } from "./stream-means.ts";
import { streamRunGradients } from "./stream-run-gradients.ts";
import { streamTokens } from "./stream-tokens.ts";
import { tokenId, tokenizeExample, tokenizeText } from "./tokenize-example.ts";

/** Opens a checkpoint folder in Hugging Face layout. Weights are read when a graph first needs them. */
export async function openLocalEngine(
  dir: string,
  options: LocalEngineOptions = {},
): Promise<Engine> {
  const precision = expectPrecision("local", options.precision);
  if (precision !== "F32" && options.weights === "constant") {
    throw new ConfigError(`weights: expected shared with precision ${precision}, got constant`, {
      hint: "Leave --weights out: what is held in whole numbers is not packed.",
    });
  }
  return new LocalEngine(await openCheckpoint(dir, options), options);
}

class LocalEngine implements Engine {
  readonly identity: EngineIdentity;
  readonly #checkpoint: OpenCheckpoint;
  readonly #options: LocalEngineOptions;
  readonly #programs: GraphPrograms;
  #decoder: ResponseDecoder | undefined;

  constructor(checkpoint: OpenCheckpoint, options: LocalEngineOptions) {
    this.identity = checkpoint.identity;
    this.#checkpoint = checkpoint;
    this.#options = options;
    const { embedding } = checkpoint.model.family.names;
    this.#programs = new GraphPrograms(checkpoint.weights, embedding, options);
  }

  tokenize(
    prompt: readonly Message[],
    responses: readonly (readonly Message[])[],
    context?: RowContext,
  ): TokenizedExample {
    return tokenizeExample(this.#checkpoint, prompt, responses, context);
  }

  tokenizeText(text: string): Int32Array {
    return tokenizeText(this.#checkpoint, text);
  }

  get #batchTokens(): number {
    return this.#options.batchTokens ?? DEFAULT_BATCH_TOKENS;
  }

  get unapplied(): readonly string[] {
    return this.#checkpoint.unapplied;
  }

  get stopTokens(): readonly number[] {
    return this.#checkpoint.stopTokens;
  }

  get contextLength(): number {
    return this.identity.maxPositions;
  }

  tokenizePrompt(prompt: readonly Message[]): Int32Array {
    return tokenizeExample(this.#checkpoint, prompt, []).prompt;
  }

  opensThinking(prompt: readonly Message[]): boolean {
    return this.#checkpoint.renderer.opensThinking(prompt);
  }

  tokenId(text: string): number {
    return tokenId(this.#checkpoint, text);
  }

  decode(tokens: Int32Array): string {
    this.#decoder ??= createResponseDecoder(this.#checkpoint.renderer.tokenizer);
    return this.#decoder(tokens);
  }

  generate(
    prompts: readonly Int32Array[],
    options: GenerateOptions = {},
  ): AsyncIterable<GeneratedSample> {
    expectFull(this.#options.precision, "sampling");
    const settings = generateSettings(options);
    const { steering, signal, progress, firstSamples } = options;
    if (steering !== undefined) expectSteering(steering, this.identity);
    const amplify = this.#amplification(options.amplify);
    return generateTokens(this.#generationHost(), prompts, {
      ...settings,
      signal,
      progress,
      firstSamples,
      // Without a change the unchanged graph runs, not one that adds zeros.
      ...(steering === undefined || changesNothing(steering) ? {} : { steering }),
      amplify,
      stopTokens: new Set(options.stopTokens ?? this.stopTokens),
      contextLength: Math.min(
        this.contextLength,
        options.amplify?.before.contextLength ?? Infinity,
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
    const { features = STATES } = options;
    const layers = expectLayers(options.layers, this.identity, features);
    const { model, weights } = this.#checkpoint;
    if (features.kind !== "states") {
      expectFull(this.#options.precision, `${features.kind} features`);
      expectHeadFits(model, weights);
      const settings = { ...options, layers, batchTokens: this.#batchTokens };
      if (isAlongRun(features)) {
        const { along } = options;
        if (along === undefined) throw new Error(`internal: ${features.kind} features have a run`);
        const startLogprobs = (of: readonly TokenizedExample[]) =>
          this.logprobs(of, { signal: options.signal });
        yield* streamRunGradients(this.#programs, model, examples, features, {
          ...settings,
          along,
          startLogprobs,
        });
        return;
      }
      yield* streamFeatures(this.#programs, model, examples, features, settings);
      return;
    }
    yield* streamMeans(this.#programs, model, examples, {
      ...options,
      layers,
      batchTokens: this.#batchTokens,
      // Constants are copied into every graph: three graphs would hold three copies of the weights.
      sharesPrefix: this.#options.weights !== "constant",
    });
  }

  async *embedTokens(
    examples: readonly TokenizedExample[],
    { layer, ...options }: TokenOptions,
  ): AsyncIterable<TokenActivations> {
    const [found] = expectLayers([layer], this.identity, STATES);
    const batchTokens = this.#batchTokens;
    const { model } = this.#checkpoint;
    yield* streamTokens(this.#programs, model, examples, {
      ...options,
      layer: found!,
      batchTokens,
    });
  }

  async *logprobs(
    examples: readonly TokenizedExample[],
    options: LogprobOptions = {},
  ): AsyncIterable<ExampleLogprobs> {
    expectFull(this.#options.precision, "log-probabilities");
    const { model, weights } = this.#checkpoint;
    const { steering, ...job } = options;
    if (steering !== undefined) expectSteering(steering, this.identity);
    expectHeadFits(model, weights);
    // Without a change the unchanged graph runs, as in generate.
    const steered =
      steering === undefined || changesNothing(steering)
        ? undefined
        : steerResponses(steering, model.config);
    const key = steered === undefined ? "logprobs" : `logprobs, ${steered.key}`;
    const made = await this.#programs.program(key, () => {
      const { logprobs, frequencyInputs } = responseLogprobs(model, {
        residual: steered?.residual,
      });
      return { outputs: { logprobs }, frequencyInputs };
    });
    const settings = { ...job, batchTokens: this.#batchTokens, steering: steered };
    yield* streamLogprobs(made, model, examples, settings);
  }

  async *predictingStates(
    examples: readonly TokenizedExample[],
    options: JobOptions = {},
  ): AsyncIterable<PredictingStates> {
    expectFull(this.#options.precision, "predicting states");
    const { model, weights } = this.#checkpoint;
    expectHeadFits(model, weights);
    const made = await this.#programs.program("predicting states", () => predictingStates(model));
    const settings = { ...options, batchTokens: this.#batchTokens };
    yield* streamPredictingStates(made, model, examples, settings);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#programs[Symbol.asyncDispose]();
    await this.#checkpoint.weights[Symbol.asyncDispose]();
  }
}
