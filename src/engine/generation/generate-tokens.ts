/** @file Continuous batching: finished rows leave, waiting samples take their place, so that the batch stays full. */
import type { TensorValue } from "../../runtime/ort.ts";
import { hashText } from "../../util/hash.ts";
import type { JobOptions } from "../../util/progress.ts";
import { type ActiveRow, sampleRng } from "./active-rows.ts";
import { chooseToken } from "./choose-token.ts";
import { expectPromptsFit } from "./expect-prompts-fit.ts";
import type { GeneratedSample, GenerateSettings, GenerationCounter } from "./generate-options.ts";
import type { GenerationHost } from "./generation-host.ts";
import { RowDecoder } from "./row-decoder.ts";
import type { Steering } from "./steering.ts";
import { amplifyingChange, BEFORE_LOGITS, steeringChange } from "./step-changes.ts";
import { flopsOnly } from "./step-cost.ts";

/** Settings and what they mean for this checkpoint. */
export interface GenerateJob extends JobOptions, GenerateSettings {
  readonly stopTokens: ReadonlySet<number>;
  /** Tokens of prompt and sample together at most. */
  readonly contextLength: number;
  readonly counter: GenerationCounter;
  /** By prompt, in place of `firstSample`. */
  readonly firstSamples?: readonly number[] | undefined;
  /** Fits the model; see expectSteering. */
  readonly steering?: Steering | undefined;
  /** `before` has the same vocabulary. */
  readonly amplify?: { readonly before: GenerationHost; readonly alpha: number } | undefined;
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
  { samples, firstSample, firstSamples }: GenerateJob,
): Generator<{ prompt: number; sample: number }, void, undefined> {
  for (const prompt of order) {
    const first = firstSamples?.[prompt] ?? firstSample;
    for (let i = 0; i < samples; i++) yield { prompt, sample: first + i };
  }
}

/** The rows that run together. */
class Batch {
  readonly rows: ActiveRow[] = [];
  readonly #prompts: readonly Int32Array[];
  readonly #job: GenerateJob;
  readonly #decoder: RowDecoder;
  /** The model that the difference is taken from, over the same rows. */
  readonly #before: RowDecoder | undefined;
  /** The prompt whose samples are being admitted. */
  #current: { prompt: number; hash: string } | undefined;

  constructor(
    host: GenerationHost,
    prompts: readonly Int32Array[],
    { job, order }: { job: GenerateJob; order: readonly number[] },
  ) {
    this.#prompts = prompts;
    this.#job = job;
    const { steering, amplify, counter } = job;
    const { config } = host.model;
    const shared = { order, maxRows: Math.min(job.batch, prompts.length * job.samples) };
    this.#decoder = new RowDecoder(host, prompts, {
      ...shared,
      counter,
      output: job.temperature === 0 ? "token" : "probabilities",
      changes: [
        ...(steering === undefined ? [] : [steeringChange(steering, config)]),
        ...(amplify === undefined ? [] : [amplifyingChange(amplify.alpha, config)]),
      ],
    });
    if (amplify === undefined) return;
    const other = { ...shared, counter: flopsOnly(counter), output: "logits" } as const;
    this.#before = new RowDecoder(amplify.before, prompts, other);
  }

  /** Starts a sample in a new row. */
  async admit(prompt: number, sample: number): Promise<void> {
    const tokens = this.#prompts[prompt]!; // an index into the prompts
    if (this.#current?.prompt !== prompt) this.#current = { prompt, hash: hashText(tokens.join()) };
    const length = tokens.length - 1;
    await this.#decoder.admit(prompt, length, this.rows);
    await this.#before?.admit(prompt, length, this.rows);
    const rng = sampleRng(this.#job.seed, this.#current.hash, sample);
    this.rows.push({ prompt, sample, length, next: tokens[length]!, tokens: [], rng });
  }

  /** Runs one token of every row; returns the samples that ended with it, whose rows are gone then. */
  async step(): Promise<GeneratedSample[]> {
    const { temperature } = this.#job;
    const before = await this.#before?.step(this.rows);
    const chosen = await this.#decoder.step(this.rows, {
      inverseTemperature: {
        dtype: "float32",
        shape: [1],
        array: Float32Array.of(temperature === 0 ? 1 : 1 / temperature),
      },
      ...(before === undefined ? {} : { [BEFORE_LOGITS]: before }),
    });
    this.#takeTokens(chosen);
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
    this.#decoder.move(this.rows.length, row, last.length);
    this.#before?.move(this.rows.length, row, last.length);
    this.rows[row] = last;
  }
}
