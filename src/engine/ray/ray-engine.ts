/** @file The engine whose arithmetic is done on a Ray cluster. Tokens are made here, so both engines see the same ones. */
import type { Message, RowContext } from "../../format/messages.ts";
import type { SafetensorsTensor } from "../../format/safetensors.ts";
import { createResponseDecoder, type ResponseDecoder } from "../../model/decode-response.ts";
import { expectHeadFits } from "../../model/expect-weights.ts";
import { usedRopes } from "../../model/pooled-activations.ts";
import { sharesAngles } from "../../model/rope.ts";
import { RuntimeError, UnsupportedError } from "../../util/errors.ts";
import type { JobOptions } from "../../util/progress.ts";
import { ActivationError } from "../activation-error.ts";
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
} from "../engine.ts";
import { expectLayers, STATES } from "../features.ts";
import { expectPromptsFit } from "../generation/expect-prompts-fit.ts";
import {
  type GeneratedSample,
  type GenerateOptions,
  generateSettings,
  newGenerationCounter,
} from "../generation/generate-options.ts";
import { changesNothing, expectSteering, type Steering } from "../generation/steering.ts";
import { steeringVectors } from "../generation/step-changes.ts";
import { countPrompt, countStep } from "../generation/step-cost.ts";
import type { OpenCheckpoint } from "../open-checkpoint.ts";
import { tokenId, tokenizeExample, tokenizeText } from "../tokenize-example.ts";
import { type ChunkLimits, cutChunks, type Task } from "./ray-chunks.ts";
import type { RaySettings } from "./ray-options.ts";
import type { Done, RaySession, SessionSubject } from "./ray-session.ts";
import { type HeldSession, holdSession } from "./session-pool.ts";

/** Examples of a chunk at most. */
const CHUNK_EXAMPLES = 512;
/** Tokens of a chunk: some batches, so that starting it costs nothing beside it, and few, so that little is lost with it. */
const CHUNK_BATCHES = 4;
const LEAST_CHUNK_TOKENS = 16_384;

/** What the engine does not do, with the next thing to do. */
export function notOnRay(what: string): UnsupportedError {
  return new UnsupportedError(`engine ray: ${what} is not done on a cluster yet`, {
    hint: "Use engine local for it; docs/cluster.md lists what works.",
  });
}

interface RayEngineParts {
  readonly checkpoint: OpenCheckpoint;
  readonly subject: SessionSubject;
  readonly settings: RaySettings;
  readonly note: (line: string) => void;
}

export class RayEngine implements Engine {
  readonly identity: EngineIdentity;
  readonly #parts: RayEngineParts;
  #held: Promise<HeldSession> | undefined;
  #decoder: ResponseDecoder | undefined;

  constructor(parts: RayEngineParts) {
    this.identity = parts.checkpoint.identity;
    this.#parts = parts;
  }

  get stopTokens(): readonly number[] {
    return this.#parts.checkpoint.stopTokens;
  }

  get contextLength(): number {
    return this.identity.maxPositions;
  }

  tokenize(
    prompt: readonly Message[],
    responses: readonly (readonly Message[])[],
    context?: RowContext,
  ): TokenizedExample {
    return tokenizeExample(this.#parts.checkpoint, prompt, responses, context);
  }

  tokenizeText(text: string): Int32Array {
    return tokenizeText(this.#parts.checkpoint, text);
  }

  tokenizePrompt(prompt: readonly Message[]): Int32Array {
    return tokenizeExample(this.#parts.checkpoint, prompt, []).prompt;
  }

  opensThinking(prompt: readonly Message[]): boolean {
    return this.#parts.checkpoint.renderer.opensThinking(prompt);
  }

  tokenId(text: string): number {
    return tokenId(this.#parts.checkpoint, text);
  }

  decode(tokens: Int32Array): string {
    this.#decoder ??= createResponseDecoder(this.#parts.checkpoint.renderer.tokenizer);
    return this.#decoder(tokens);
  }

  async *embed(
    examples: readonly TokenizedExample[],
    { features = STATES, layers: asked, ...job }: EmbedOptions,
  ): AsyncIterable<EmbeddedExample> {
    if (features.kind !== "states") throw notOnRay(`reading ${features.kind} features`);
    const layers = expectLayers(asked, this.identity, features);
    const width = layers.length * this.identity.dim;
    for await (const { chunk, result } of this.#run(examples, { op: "embed", layers }, job)) {
      const { notFinite } = result.about;
      if (notFinite !== undefined) {
        throw new ActivationError(notFinite.layer!, chunk.first + notFinite.example); // of a layer
      }
      const all = result.floats("means", responseCount(chunk.examples) * width);
      let at = 0;
      for (const [i, { responses }] of chunk.examples.entries()) {
        const means = responses.map(() => all.slice(at, (at += width)));
        yield { index: chunk.first + i, means };
      }
    }
  }

  async *embedTokens(
    examples: readonly TokenizedExample[],
    { layer, ...job }: TokenOptions,
  ): AsyncIterable<TokenActivations> {
    expectLayers([layer], this.identity, STATES);
    const { dim } = this.identity;
    for await (const { chunk, result } of this.#run(examples, { op: "embedTokens", layer }, job)) {
      const { notFinite } = result.about;
      if (notFinite !== undefined) {
        throw new ActivationError(layer, chunk.first + notFinite.example);
      }
      const all = result.floats("activations", responseTokens(chunk.examples) * dim);
      let at = 0;
      for (const [i, { responses }] of chunk.examples.entries()) {
        const activations = responses.map(({ length }) => all.slice(at, (at += length * dim)));
        yield { index: chunk.first + i, activations };
      }
    }
  }

  async *logprobs(
    examples: readonly TokenizedExample[],
    { steering, ...job }: LogprobOptions = {},
  ): AsyncIterable<ExampleLogprobs> {
    this.#expectHead();
    const { task, vectors } = this.#steering(steering);
    const asked = { op: "logprobs", ...task };
    for await (const { chunk, result } of this.#run(examples, asked, job, vectors)) {
      expectFinite({ chunk, result }, "a log-probability");
      const all = result.doubles("logprobs", responseCount(chunk.examples));
      let at = 0;
      for (const [i, { responses }] of chunk.examples.entries()) {
        const logprobs = responses.map(() => all[at++]!);
        yield { index: chunk.first + i, logprobs, tokenCounts: responses.map((r) => r.length) };
      }
    }
  }

  async *predictingStates(
    examples: readonly TokenizedExample[],
    job: JobOptions = {},
  ): AsyncIterable<PredictingStates> {
    this.#expectHead();
    const { dim } = this.identity;
    for await (const { chunk, result } of this.#run(examples, { op: "predictingStates" }, job)) {
      expectFinite({ chunk, result }, "a state before the output matrix");
      const all = result.floats("sums", responseCount(chunk.examples) * dim);
      let at = 0;
      for (const [i, { responses }] of chunk.examples.entries()) {
        const sums = responses.map(() => all.slice(at, (at += dim)));
        yield { index: chunk.first + i, sums, tokenCounts: responses.map((r) => r.length) };
      }
    }
  }

  generate(
    prompts: readonly Int32Array[],
    options: GenerateOptions = {},
  ): AsyncIterable<GeneratedSample> {
    const settings = generateSettings(options);
    if (options.amplify !== undefined) throw notOnRay("amplified sampling");
    const { task, vectors } = this.#steering(options.steering);
    return this.#generate(prompts, { ...options, ...settings }, { ...task }, vectors);
  }

  async *#generate(
    prompts: readonly Int32Array[],
    options: GenerateOptions & ReturnType<typeof generateSettings>,
    steering: Readonly<Record<string, unknown>>,
    vectors: readonly SafetensorsTensor[],
  ): AsyncGenerator<GeneratedSample, void, undefined> {
    const { samples, firstSample, firstSamples, counter = newGenerationCounter() } = options;
    const { config } = this.#parts.checkpoint.model;
    this.#expectHead();
    expectPromptsFit(prompts, this.contextLength, config.vocabSize);
    this.#expectSameAngles(prompts, options.maxTokens);
    const { maxTokens, temperature, topK, topP, seed, batch } = options;
    const shared = { op: "generate", maxTokens, temperature, topK, topP, seed, batch, samples };
    const firstOf = (i: number): number => firstSamples?.[i] ?? firstSample;
    const taskOf = (first: number, count: number): Task => ({
      ...shared,
      ...steering,
      contextLength: this.contextLength,
      stopTokens: options.stopTokens ?? this.stopTokens,
      firstSamples: Array.from({ length: count }, (_, i) => firstOf(first + i)),
    });
    const examples = prompts.map((prompt) => ({ prompt, responses: [] }));
    const limits = { tokens: Infinity, examples: Math.max(1, Math.ceil(batch / samples)) };
    const session = await this.#open(options.signal);
    let finished = 0;
    const chunks = cutChunks(examples, limits, taskOf, vectors);
    for await (const { chunk, result } of session.run(
      this.#parts.subject,
      chunks,
      options.signal,
    )) {
      const count = chunk.examples.length * samples;
      const lengths = result.ints("lengths", count);
      const stopped = result.bytes("stopped", count);
      const tokens = result.ints(
        "tokens",
        lengths.reduce((sum, each) => sum + each, 0),
      );
      let at = 0;
      for (const [i, length] of lengths.entries()) {
        const index = Math.floor(i / samples);
        const prompt = chunk.first + index;
        const before = prompts[prompt]!.length - 1; // an index into the prompts
        if (i % samples === 0) countPrompt(counter, config, { before: 0, count: before });
        for (let t = 0; t < length; t++) countStep(counter, config, [before + t]);
        yield {
          prompt,
          sample: firstOf(prompt) + (i % samples),
          tokens: tokens.slice(at, (at += length)),
          finish: stopped[i] === 1 ? "stop" : "length",
        };
      }
      finished += count;
      options.progress?.update(finished, prompts.length * samples);
    }
  }

  /** Has every example done; `vectors` go with each chunk. */
  async *#run(
    examples: readonly TokenizedExample[],
    task: Task,
    { signal, progress }: JobOptions,
    vectors: readonly SafetensorsTensor[] = [],
  ): AsyncGenerator<Done, void, undefined> {
    if (examples.length === 0) return;
    const { batchTokens } = this.#parts.settings;
    const tokens = Math.max(LEAST_CHUNK_TOKENS, CHUNK_BATCHES * batchTokens);
    const limits: ChunkLimits = { tokens, examples: CHUNK_EXAMPLES };
    const session = await this.#open(signal);
    const chunks = cutChunks(examples, limits, () => task, vectors);
    let finished = 0;
    for await (const done of session.run(this.#parts.subject, chunks, signal)) {
      yield done;
      finished += done.chunk.examples.length;
      progress?.update(finished, examples.length);
    }
  }

  /** The session, started when it is first needed. */
  async #open(signal: AbortSignal | undefined): Promise<RaySession> {
    const { settings, note } = this.#parts;
    this.#held ??= holdSession(settings, note, signal).catch((error: unknown) => {
      this.#held = undefined;
      throw error;
    });
    return (await this.#held).session;
  }

  #expectHead(): void {
    const { model, weights } = this.#parts.checkpoint;
    expectHeadFits(model, weights);
  }

  #steering(steering: Steering | undefined): {
    readonly task: Readonly<Record<string, unknown>>;
    readonly vectors: readonly SafetensorsTensor[];
  } {
    if (steering !== undefined) expectSteering(steering, this.identity);
    // Without a change the unchanged model runs, as on the local engine.
    if (steering === undefined || changesNothing(steering)) return { task: {}, vectors: [] };
    const vectors = [...steeringVectors(steering)].map(([layer, vector]): SafetensorsTensor => ({
      name: `steer.${layer}`,
      dtype: "F32",
      shape: [vector.length],
      bytes: new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
    }));
    return { task: { steering: steering.kind }, vectors };
  }

  /** Throws UnsupportedError where a sample might grow to a length from which on all its tokens get other angles. */
  #expectSameAngles(prompts: readonly Int32Array[], maxTokens: number): void {
    const { config } = this.#parts.checkpoint.model;
    const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0) + maxTokens;
    const whole = Math.min(longest, this.contextLength);
    if (usedRopes(config, config.layerCount).every((rope) => sharesAngles(rope, 1, whole))) return;
    throw notOnRay(
      `sampling up to ${whole} tokens of prompt and response, where this model's rope changes for all of them,`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await (await held)?.[Symbol.asyncDispose]();
    await this.#parts.checkpoint.weights[Symbol.asyncDispose]();
  }
}

const responseCount = (examples: readonly TokenizedExample[]): number =>
  examples.reduce((sum, { responses }) => sum + responses.length, 0);

const responseTokens = (examples: readonly TokenizedExample[]): number =>
  examples.reduce((sum, { responses }) => sum + responses.reduce((s, r) => s + r.length, 0), 0);

function expectFinite({ chunk, result }: Done, what: string): void {
  const { notFinite } = result.about;
  if (notFinite === undefined) return;
  throw new RuntimeError(`example ${chunk.first + notFinite.example}: ${what} is not finite`, {
    hint: "The checkpoint may be broken: its training diverged, say.",
  });
}
