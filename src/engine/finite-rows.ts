/** @file Vectors of a batch whose numbers are finite, and the examples of which they are not. */
import type { JobOptions } from "../util/progress.ts";
import { ActivationError } from "./activation-error.ts";
import type { EmbeddedExample, EmbedOptions, TokenizedExample } from "./engine.ts";
import type { PlannedBatch } from "./plan-batches.ts";
import { ResponseCollector } from "./response-collector.ts";

/** What was read of a response, or of a pair. */
export interface ReadVector {
  /** Index into the examples given to `embed`. */
  readonly example: number;
  readonly response: number;
  /** [L, D] row by row. */
  readonly vector: Float32Array;
}

interface FiniteOptions extends Pick<EmbedOptions, "onNotFinite"> {
  readonly layers: readonly number[];
}

/**
 * Reads batches and gives the vectors of each example once all its responses have one; see readFinite for numbers that are not finite.
 */
export async function* streamVectors(
  examples: readonly TokenizedExample[],
  batches: readonly PlannedBatch[],
  read: (batch: PlannedBatch) => Promise<readonly ReadVector[]>,
  options: FiniteOptions & JobOptions,
): AsyncGenerator<EmbeddedExample> {
  const { signal, progress } = options;
  const collector = new ResponseCollector<Float32Array>(examples);
  let finished = 0;
  for (const batch of batches) {
    signal?.throwIfAborted();
    for (const { example, response, vector } of await readFinite(batch, read, options)) {
      const means = collector.add(example, response, vector);
      if (means === undefined) continue;
      finished++;
      yield { index: example, means };
    }
    progress?.update(finished, examples.length);
  }
}

/**
 * Reads a batch; where a number is not finite, every example of it alone: one that is not reaches the others, since zero times it is not
 * finite either. What is left is told to `onNotFinite`, its vectors zeros; without it throws ActivationError.
 */
async function readFinite(
  batch: PlannedBatch,
  read: (batch: PlannedBatch) => Promise<readonly ReadVector[]>,
  options: FiniteOptions,
): Promise<readonly ReadVector[]> {
  const found = await read(batch);
  if (found.every(({ vector }) => isFinite(vector))) return found;
  const examples = [...new Set(batch.map(({ example }) => example))];
  if (examples.length === 1) return found.map((each) => zeroed(each, options));
  const alone: ReadVector[] = [];
  for (const example of examples) {
    const rows = batch.filter((row) => row.example === example);
    alone.push(...(await readFinite(rows, read, options)));
  }
  return alone;
}

function zeroed(found: ReadVector, { layers, onNotFinite }: FiniteOptions): ReadVector {
  const { example, vector } = found;
  const dim = vector.length / layers.length;
  const bad = layers.find((_, l) => !isFinite(vector.subarray(l * dim, (l + 1) * dim)));
  if (bad === undefined) return found;
  if (onNotFinite === undefined) throw new ActivationError(bad, example);
  onNotFinite(example, bad);
  return { ...found, vector: new Float32Array(vector.length) };
}

/** Whether all numbers are; several times faster than asking each. */
function isFinite(values: Float32Array): boolean {
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += values[i]! * 0; // NaN of what is not finite
  return zero === 0;
}
