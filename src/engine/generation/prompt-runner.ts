import {
  keyName,
  prefixKeys,
  promptKeys,
  usedRopes,
  valueName,
} from "../../model/pooled-activations.ts";
import type { TensorValue } from "../../runtime/ort.ts";
import { prefixInputs } from "../batch-inputs.ts";
import { sharedPrefixLength } from "../shared-prefix.ts";
import type { GenerationCounter } from "./generate-options.ts";
import type { GenerationHost } from "./generation-host.ts";
import type { KeyValueRows } from "./key-value-cache.ts";
import { promptInputs } from "./prompt-inputs.ts";
import { countPrompt } from "./step-cost.ts";

/** Padded tokens of one run of the prompt graph, at most, unless one prompt alone is longer. */
const BATCH_TOKENS = 1024;
/** Numbers that keys and values of one run may take: 256 MB. */
const BATCH_NUMBERS = 2 ** 26;

/** A prompt's keys and values, all but the last token's: pieces that stand one behind the other. */
export type PromptKeys = readonly KeyValueRows[];

/**
 * Runs prompts and keeps their keys until they are taken. Prompts must be taken in the order given; each run does as many of the next
 * ones as fit, and the prefix that all share runs once.
 */
export class PromptRunner {
  readonly #host: GenerationHost;
  readonly #prompts: readonly Int32Array[];
  readonly #order: readonly number[];
  readonly #maxRows: number;
  readonly #prefixLength: number;
  #prefix: Readonly<Record<string, TensorValue>> | undefined;
  #ready = new Map<number, PromptKeys>();
  #next = 0;
  readonly #counter: GenerationCounter;

  constructor(
    host: GenerationHost,
    prompts: readonly Int32Array[],
    {
      order,
      maxRows,
      counter,
    }: { order: readonly number[]; maxRows: number; counter: GenerationCounter },
  ) {
    this.#counter = counter;
    this.#host = host;
    this.#prompts = prompts;
    this.#order = order;
    this.#maxRows = maxRows;
    const { config } = host.model;
    const ropes = usedRopes(config, config.layerCount);
    const heads = prompts.map((prompt) => ({ prompt: prompt.subarray(0, -1), responses: [] }));
    this.#prefixLength = host.hasPrefixes ? sharedPrefixLength(heads, ropes) : 0;
  }

  /** The keys of the next prompt in the order, which must be `prompt`. */
  async take(prompt: number): Promise<PromptKeys> {
    if (!this.#ready.has(prompt)) await this.#runNext();
    const keys = this.#ready.get(prompt);
    if (keys === undefined) throw new Error(`internal: prompt ${prompt} was taken out of order`);
    this.#ready.delete(prompt);
    return keys;
  }

  /** Keys of all `tokens` but the last one, as they are in a sequence that is no longer than that; nothing is counted. */
  async keysOf(tokens: Int32Array): Promise<PromptKeys> {
    const { model } = this.#host;
    const { rotaryDim, layerCount } = model.config;
    const { program, frequencyInputs } = await this.#host.program("prompt keys", () =>
      promptKeys(model),
    );
    const outputs = await program.run(promptInputs([tokens], 0, { frequencyInputs, rotaryDim }));
    return [rowsOf(outputs, "prompt", { layerCount, count: tokens.length - 1, offset: 0 })];
  }

  async #runNext(): Promise<void> {
    const first = this.#prefixLength;
    const prefix = await this.#prefixValues();
    const group = this.#nextGroup();
    this.#next += group.length;
    const { layerCount, headDim, keyHeads, rotaryDim } = this.#host.model.config;
    const before: PromptKeys =
      first === 0 ? [] : [rowsOf(prefix, "prefix", { layerCount, count: first, offset: 0 })];
    const width = this.#prompts[group[0]!]!.length - 1 - first; // longest first
    if (width === 0) {
      for (const prompt of group) this.#ready.set(prompt, before);
      return;
    }
    const { program, frequencyInputs } = await this.#host.program(
      first === 0 ? "prompt keys" : "prompt keys behind a prefix",
      () => promptKeys(this.#host.model, { hasPrefix: first > 0 }),
    );
    const prompts = group.map((prompt) => this.#prompts[prompt]!); // the order holds indices
    const inputs = promptInputs(prompts, first, { frequencyInputs, rotaryDim });
    const outputs = await program.run({ ...inputs, ...prefix });
    for (const [r, prompt] of group.entries()) {
      const count = prompts[r]!.length - 1 - first;
      const offset = r * width * keyHeads * headDim;
      this.#ready.set(prompt, [
        ...before,
        rowsOf(outputs, "prompt", { layerCount, count, offset }),
      ]);
      countPrompt(this.#counter, this.#host.model.config, { before: first, count });
    }
  }

  /** The next prompts that fit into one run. */
  #nextGroup(): readonly number[] {
    const { layerCount, headDim, keyHeads } = this.#host.model.config;
    const numbersPerToken = 2 * layerCount * keyHeads * headDim;
    const limit = Math.min(BATCH_TOKENS, BATCH_NUMBERS / numbersPerToken);
    const longest = this.#prompts[this.#order[this.#next]!]!.length - 1 - this.#prefixLength;
    const count = Math.floor(limit / Math.max(1, longest));
    return this.#order.slice(this.#next, this.#next + Math.min(this.#maxRows, Math.max(1, count)));
  }

  async #prefixValues(): Promise<Readonly<Record<string, TensorValue>>> {
    if (this.#prefixLength === 0) return {};
    if (this.#prefix !== undefined) return this.#prefix;
    const { model } = this.#host;
    const { config } = model;
    const { program, frequencyInputs } = await this.#host.program(
      `prefix keys ${config.layerCount}`,
      () => prefixKeys(model, config.layerCount),
    );
    const prefix = this.#prompts[0]!.slice(0, this.#prefixLength); // shared by all
    this.#prefix = await program.run(
      prefixInputs(prefix, { frequencyInputs, rotaryDim: config.rotaryDim }),
    );
    countPrompt(this.#counter, config, { before: 0, count: this.#prefixLength });
    return this.#prefix;
  }
}

function rowsOf(
  outputs: Readonly<Record<string, TensorValue>>,
  kind: "prefix" | "prompt",
  { layerCount, count, offset }: { layerCount: number; count: number; offset: number },
): KeyValueRows {
  const part = (name: string): { array: Float32Array; offset: number } => ({
    array: outputs[name]!.array as Float32Array, // the graphs give float32
    offset,
  });
  return {
    count,
    parts: Array.from({ length: layerCount }, (_, block) => [
      part(keyName(block, kind)),
      part(valueName(block, kind)),
    ]).flat(),
  };
}
