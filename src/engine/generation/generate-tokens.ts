/** @file Continuous batching: finished rows leave, waiting samples take their place, so that the batch stays full. */
import { decodeStep, type StepOutput } from "../../model/decode-step.ts";
import type { TensorValue } from "../../runtime/ort.ts";
import { ConfigError, RuntimeError } from "../../util/errors.ts";
import { hashText } from "../../util/hash.ts";
import type { JobOptions } from "../../util/progress.ts";
import { type ActiveRow, sampleRng } from "./active-rows.ts";
import { CacheBias } from "./cache-bias.ts";
import { chooseToken } from "./choose-token.ts";
import type { GeneratedSample, GenerateSettings, GenerationCounter } from "./generate-options.ts";
import type { GenerationHost } from "./generation-host.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import { frequencyValues, int32 } from "./prompt-inputs.ts";
import { type PromptKeys, PromptRunner } from "./prompt-runner.ts";
import { countStep } from "./step-cost.ts";

/** Settings and what they mean for this checkpoint. */
export interface GenerateJob extends JobOptions, GenerateSettings {
  readonly stopTokens: ReadonlySet<number>;
  /** Tokens of prompt and sample together at most. */
  readonly contextLength: number;
  readonly counter: GenerationCounter;
}

/** Samples in the order in which they end. Throws ConfigError naming a prompt that is empty or fills the context. */
export async function* generateTokens(
  host: GenerationHost,
  prompts: readonly Int32Array[],
  job: GenerateJob,
): AsyncGenerator<GeneratedSample, void, undefined> {
  expectPromptsFit(prompts, job.contextLength, host.model.config.vocabSize);
  // Longest first: the largest memory comes at once, and rows side by side have nearly one length.
  const order = prompts
    .map((_, i) => i)
    .toSorted((a, b) => prompts[b]!.length - prompts[a]!.length || a - b);
  const waiting = waitingSamples(order, job);
  const batch = new Batch(host, prompts, { job, order });
  const total = prompts.length * job.samples;
  let finished = 0;
  for (;;) {
    job.signal?.throwIfAborted();
    while (batch.rows.length < job.batch) {
      const next = waiting.next();
      if (next.done === true) break;
      await batch.admit(next.value.prompt, next.value.sample);
    }
    if (batch.rows.length === 0) return;
    for (const sample of await batch.step()) {
      finished++;
      yield sample;
    }
    job.progress?.update(finished, total);
  }
}

function* waitingSamples(
  order: readonly number[],
  { samples, firstSample }: GenerateJob,
): Generator<{ prompt: number; sample: number }, void, undefined> {
  for (const prompt of order) {
    for (let i = 0; i < samples; i++) yield { prompt, sample: firstSample + i };
  }
}

function expectPromptsFit(
  prompts: readonly Int32Array[],
  contextLength: number,
  vocabSize: number,
): void {
  for (const [i, prompt] of prompts.entries()) {
    if (prompt.length === 0) throw new ConfigError(`prompt ${i}: expected tokens, got none`);
    if (prompt.length >= contextLength) {
      throw new ConfigError(
        `prompt ${i}: expected fewer than ${contextLength} tokens, the model's context, got ${prompt.length}`,
        { hint: "Shorten the prompt or leave it out." },
      );
    }
    const unknown = prompt.find((id) => id < 0 || id >= vocabSize);
    if (unknown !== undefined) {
      throw new ConfigError(`prompt ${i}: expected ids below ${vocabSize}, got ${unknown}`);
    }
  }
}

/** The rows that run together. */
class Batch {
  readonly rows: ActiveRow[] = [];
  readonly #host: GenerationHost;
  readonly #prompts: readonly Int32Array[];
  readonly #job: GenerateJob;
  readonly #runner: PromptRunner;
  readonly #cache: KeyValueCache;
  readonly #bias: CacheBias;
  /** The prompt whose samples are being admitted. */
  #current: { prompt: number; keys: PromptKeys; hash: string } | undefined;

  constructor(
    host: GenerationHost,
    prompts: readonly Int32Array[],
    { job, order }: { job: GenerateJob; order: readonly number[] },
  ) {
    this.#host = host;
    this.#prompts = prompts;
    this.#job = job;
    const maxRows = Math.min(job.batch, prompts.length * job.samples);
    this.#runner = new PromptRunner(host, prompts, { order, maxRows, counter: job.counter });
    this.#cache = new KeyValueCache(host.model.config, maxRows);
    this.#bias = new CacheBias(host.model.config, maxRows);
  }

  /** Starts a sample in a new row. */
  async admit(prompt: number, sample: number): Promise<void> {
    const tokens = this.#prompts[prompt]!; // an index into the prompts
    if (this.#current?.prompt !== prompt) {
      const keys = await this.#runner.take(prompt);
      this.#current = { prompt, keys, hash: hashText(tokens.join()) };
    }
    const { keys, hash } = this.#current;
    const length = tokens.length - 1;
    this.#fit(length + 1);
    const row = this.rows.length;
    let at = 0;
    for (const piece of keys) {
      this.#cache.write(row, at, piece);
      at += piece.count;
    }
    this.#bias.setRow(row, length);
    const rng = sampleRng(this.#job.seed, hash, sample);
    this.rows.push({ prompt, sample, length, next: tokens[length]!, tokens: [], rng });
  }

  /** Runs one token of every row; returns the samples that ended with it, whose rows are gone then. */
  async step(): Promise<GeneratedSample[]> {
    const { temperature } = this.#job;
    const output: StepOutput = temperature === 0 ? "token" : "probabilities";
    const { family, config } = this.#host.model;
    const { program, frequencyInputs } = await this.#host.program(
      `step ${output}`,
      () => decodeStep(family, config, output),
      { isStep: true },
    );
    this.#fit(1);
    const count = this.rows.length;
    const lengths = this.rows.map((row) => row.length);
    const outputs = await program.run({
      ids: int32(
        Int32Array.from(this.rows, (row) => row.next),
        count,
      ),
      positions: int32(Int32Array.from(lengths), count),
      ...this.#cache.inputs(count),
      ...this.#bias.inputs(count),
      ...frequencyValues(
        lengths.map((length) => length + 1),
        { frequencyInputs, headDim: config.headDim },
      ),
      inverseTemperature: {
        dtype: "float32",
        shape: [1],
        array: Float32Array.of(temperature === 0 ? 1 : 1 / temperature),
      },
    });
    const newRows = outputs["rows"]!.array as Float32Array; // the graph gives float32
    this.#expectFinite(newRows, count);
    this.#cache.append(newRows, lengths);
    countStep(this.#job.counter, config, lengths);
    this.#takeTokens(outputs[output]!);
    return this.#finishRows();
  }

  #takeTokens(chosen: TensorValue): void {
    const vocabulary = chosen.shape[1] ?? 1;
    for (const [r, row] of this.rows.entries()) {
      const token =
        chosen.array instanceof Int32Array
          ? chosen.array[r]!
          : chooseToken(
              // Probabilities are float32.
              (chosen.array as Float32Array).subarray(r * vocabulary, (r + 1) * vocabulary),
              row.rng.integer(2 ** 32),
              this.#job,
            );
      row.length++;
      row.next = token;
      row.tokens.push(token);
      this.#bias.setRow(r, row.length);
    }
  }

  #finishRows(): GeneratedSample[] {
    const ended: GeneratedSample[] = [];
    for (let r = this.rows.length - 1; r >= 0; r--) {
      const { prompt, sample, tokens, next, length } = this.rows[r]!;
      const isStopped = this.#job.stopTokens.has(next);
      const isFull = tokens.length >= this.#job.maxTokens || length + 1 >= this.#job.contextLength;
      if (!isStopped && !isFull) continue;
      ended.push({
        prompt,
        sample,
        tokens: Int32Array.from(tokens),
        finish: isStopped ? "stop" : "length",
      });
      this.#remove(r);
    }
    return ended;
  }

  /** The last row takes the place of the one that leaves, so that active rows stay together. */
  #remove(row: number): void {
    const last = this.rows.pop()!; // there is at least one
    if (row === this.rows.length) return;
    this.#cache.move(this.rows.length, row);
    this.rows[row] = last;
    this.#bias.setRow(row, last.length);
  }

  /** Room for `extra` more tokens in the longest row, or for a new row of `extra` tokens. */
  #fit(extra: number): void {
    const lengths = this.rows.map((row) => row.length);
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    const needed = Math.max(longest + 1, extra);
    if (this.#cache.fit(needed, lengths)) this.#bias.reset(this.#cache.capacity, lengths);
  }

  /** A NaN anywhere reaches the last block's keys a step later at the latest. */
  #expectFinite(newRows: Float32Array, count: number): void {
    const { keyHeads, headDim, layerCount } = this.#host.model.config;
    const width = keyHeads * headDim;
    const start = 2 * (layerCount - 1) * count * width;
    for (let i = 0; i < count * width; i++) {
      if (Number.isFinite(newRows[start + i])) continue;
      const { prompt } = this.rows[Math.floor(i / width)]!;
      throw new RuntimeError(`prompt ${prompt}: the model's activations are not finite`, {
        hint: "Check the checkpoint's weights (an overflow in training or conversion gives such values).",
      });
    }
  }
}
