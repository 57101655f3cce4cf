import { decodeStep, type StepOutput } from "../../model/decode-step.ts";
import { usedRopes } from "../../model/pooled-activations.ts";
import { type RopeScaling, startsOver } from "../../model/rope.ts";
import type { TensorValue } from "../../runtime/ort.ts";
import { RuntimeError, UnsupportedError } from "../../util/errors.ts";
import type { ActiveRow } from "./active-rows.ts";
import { CacheBias } from "./cache-bias.ts";
import type { GenerationCounter } from "./generate-options.ts";
import type { GenerationHost } from "./generation-host.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import { frequencyValues, int32 } from "./prompt-inputs.ts";
import { type PromptKeys, PromptRunner } from "./prompt-runner.ts";
import { joinChanges, type StepChange } from "./step-changes.ts";
import { countStep } from "./step-cost.ts";

/** One model over the rows of a batch: the keys of its prompts, its cache, its step graph. */
export class RowDecoder {
  readonly #host: GenerationHost;
  readonly #output: StepOutput;
  readonly #change: StepChange;
  readonly #counter: GenerationCounter;
  readonly #runner: PromptRunner;
  readonly #cache: KeyValueCache;
  readonly #bias: CacheBias;
  readonly #prompts: readonly Int32Array[];
  readonly #ropes: readonly RopeScaling[];
  /** The prompt whose samples are being admitted. */
  #current: { prompt: number; keys: PromptKeys } | undefined;

  /** `order` is that in which prompts will be admitted; `output` what each step gives. */
  constructor(
    host: GenerationHost,
    prompts: readonly Int32Array[],
    settings: {
      readonly order: readonly number[];
      readonly maxRows: number;
      readonly counter: GenerationCounter;
      readonly output: StepOutput;
      readonly changes?: readonly StepChange[] | undefined;
    },
  ) {
    const { maxRows, output, counter, changes = [] } = settings;
    this.#host = host;
    this.#output = output;
    this.#change = joinChanges(changes);
    this.#counter = counter;
    this.#prompts = prompts;
    this.#ropes = usedRopes(host.model.config, host.model.config.layerCount);
    this.#runner = new PromptRunner(host, prompts, settings);
    this.#cache = new KeyValueCache(host.model.config, maxRows);
    this.#bias = new CacheBias(host.model.config, maxRows);
  }

  /** Puts a prompt of `length` tokens but for its last one into the row behind those of `rows`. */
  async admit(prompt: number, length: number, rows: readonly ActiveRow[]): Promise<void> {
    if (this.#current?.prompt !== prompt) {
      this.#current = { prompt, keys: await this.#runner.take(prompt) };
    }
    this.#fit(length + 1, rows);
    this.#writeKeys(rows.length, this.#current.keys);
    this.#bias.setRow(rows.length, length);
  }

  /**
   * Runs the next token of every row and keeps its keys; the rows' lengths are the caller's to raise. `inputs` are those of the output,
   * and of changes where they differ from step to step.
   */
  async step(
    rows: readonly ActiveRow[],
    inputs: Readonly<Record<string, TensorValue>> = {},
  ): Promise<TensorValue> {
    const { program, frequencyInputs } = await this.#program();
    const { config } = this.#host.model;
    this.#fit(1, rows);
    await this.#renewKeys(rows);
    const lengths = rows.map((row) => row.length);
    const ids = Int32Array.from(rows, (row) => row.next);
    const seen = lengths.map((length) => length + 1);
    const outputs = await program.run({
      ids: int32(ids, rows.length),
      positions: int32(Int32Array.from(lengths), rows.length),
      ...this.#cache.inputs(rows.length),
      ...this.#bias.inputs(rows.length),
      ...frequencyValues(seen, { frequencyInputs, rotaryDim: config.rotaryDim }),
      ...this.#change.inputs,
      ...inputs,
    });
    const newRows = outputs["rows"]!.array as Float32Array; // the graph gives float32
    this.#expectFinite(newRows, rows);
    this.#cache.append(newRows, lengths);
    for (const [row, length] of seen.entries()) this.#bias.setRow(row, length);
    countStep(this.#counter, config, lengths);
    return outputs[this.#output]!; // asked for
  }

  #writeKeys(row: number, keys: PromptKeys): void {
    let at = 0;
    for (const piece of keys) {
      this.#cache.write(row, at, piece);
      at += piece.count;
    }
  }

  /** Makes the keys anew of rows that, with the next token, get other angles for all their tokens. */
  async #renewKeys(rows: readonly ActiveRow[]): Promise<void> {
    for (const [r, { prompt, length, tokens }] of rows.entries()) {
      const hasOthers = this.#ropes.some((rope) => startsOver(rope, length + 1));
      if (!hasOthers || tokens.length === 0) continue;
      if (this.#change.hooks.residual !== undefined) {
        throw new UnsupportedError(
          `prompt ${prompt}: steering over more than ${length} tokens, where this model's rope changes for all of them, is not supported`,
          { hint: `Sample fewer tokens, so that prompt and response have ${length} at most.` },
        );
      }
      const all = Int32Array.from([...this.#prompts[prompt]!, ...tokens]); // an index into the prompts
      this.#writeKeys(r, await this.#runner.keysOf(all));
    }
  }

  /** Row `from`, of `length` tokens, takes the place of row `to`. */
  move(from: number, to: number, length: number): void {
    this.#cache.move(from, to);
    this.#bias.setRow(to, length);
  }

  #program(): ReturnType<GenerationHost["program"]> {
    const { key, hooks } = this.#change;
    return this.#host.program(
      `step ${this.#output} ${key}`,
      () => decodeStep(this.#host.model, this.#output, hooks),
      {
        isStep: true,
      },
    );
  }

  /** Room for `extra` more tokens in the longest row, or for a new row of `extra` tokens. */
  #fit(extra: number, rows: readonly ActiveRow[]): void {
    const lengths = rows.map((row) => row.length);
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    const needed = Math.max(longest + 1, extra);
    if (this.#cache.fit(needed, lengths)) this.#bias.reset(this.#cache.capacity, lengths);
  }

  /** A NaN anywhere reaches the last block's keys a step later at the latest. */
  #expectFinite(newRows: Float32Array, rows: readonly ActiveRow[]): void {
    const { keyHeads, headDim, layerCount } = this.#host.model.config;
    const width = keyHeads * headDim;
    const start = 2 * (layerCount - 1) * rows.length * width;
    for (let i = 0; i < rows.length * width; i++) {
      if (Number.isFinite(newRows[start + i])) continue;
      const { prompt } = rows[Math.floor(i / width)]!; // one row for each width
      throw new RuntimeError(`prompt ${prompt}: the model's activations are not finite`, {
        hint: "Check the checkpoint's weights (an overflow in training or conversion gives such values).",
      });
    }
  }
}
