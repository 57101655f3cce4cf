/** @file Chunks of examples as the worker reads them; see workers/ray/culprit_worker/chunk.py for the format. */
import type { SafetensorsTensor } from "../../format/safetensors.ts";
import { hashBytes, hashValue } from "../../util/hash.ts";
import type { TokenizedExample } from "../engine.ts";

/** What is asked of every example of a request: `op`, and its settings. */
export type Task = Readonly<Record<string, unknown>> & { readonly op: string };

/** Some examples in a row. */
export interface Chunk {
  /** Index of the first one among all. */
  readonly first: number;
  readonly examples: readonly TokenizedExample[];
  readonly task: Task;
  readonly tensors: readonly SafetensorsTensor[];
  /** Hash of all that decides its result, but for checkpoint and session. */
  readonly key: string;
}

/** Bounds of one chunk, the unit of resume. */
export interface ChunkLimits {
  /** Tokens, the prompt counted once for each response. */
  readonly tokens: number;
  readonly examples: number;
}

/** Cuts examples into chunks, in order; the same examples and limits give the same chunks. `taskOf` may say more of some than of others. */
export function* cutChunks(
  examples: readonly TokenizedExample[],
  limits: ChunkLimits,
  taskOf: (first: number, count: number) => Task,
  further: readonly SafetensorsTensor[] = [],
): Generator<Chunk, void, undefined> {
  let first = 0;
  let tokens = 0;
  for (const [i, example] of examples.entries()) {
    const own = tokensOf(example);
    if (i > first && (tokens + own > limits.tokens || i - first === limits.examples)) {
      yield chunkOf(examples, first, i, taskOf(first, i - first), further);
      first = i;
      tokens = 0;
    }
    tokens += own;
  }
  if (first < examples.length) {
    const count = examples.length - first;
    yield chunkOf(examples, first, examples.length, taskOf(first, count), further);
  }
}

function tokensOf({ prompt, responses }: TokenizedExample): number {
  const rows = Math.max(1, responses.length);
  return responses.reduce((sum, response) => sum + response.length, rows * prompt.length);
}

function chunkOf(
  all: readonly TokenizedExample[],
  from: number,
  to: number,
  task: Task,
  further: readonly SafetensorsTensor[],
): Chunk {
  const examples = all.slice(from, to);
  const prompts = examples.map(({ prompt }) => prompt);
  const responses = examples.flatMap((example) => example.responses);
  const tensors = [
    ints("prompts", joined(prompts)),
    ints("promptLengths", lengths(prompts)),
    ints("responses", joined(responses)),
    ints("responseLengths", lengths(responses)),
    ints(
      "responseCounts",
      Int32Array.from(examples, (each) => each.responses.length),
    ),
    ...further,
  ];
  const key = hashValue([task, tensors.map(({ name, bytes }) => [name, hashBytes(bytes)])]);
  return { first: from, examples, task, tensors, key };
}

const lengths = (arrays: readonly Int32Array[]): Int32Array =>
  Int32Array.from(arrays, ({ length }) => length);

function joined(arrays: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of arrays) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}

const ints = (name: string, values: Int32Array): SafetensorsTensor => ({
  name,
  dtype: "I32",
  shape: [values.length],
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});
