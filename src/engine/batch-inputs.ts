/** @file Fills the inputs of the graphs in model/pooled-activations.ts for one batch. */
import { PADDING_SEGMENT, PROMPT_SEGMENT } from "../model/attention-bias.ts";
import { inverseFrequencies, type RopeScaling } from "../model/rope.ts";
import type { TensorValue } from "../runtime/ort.ts";
import type { TokenizedExample } from "./engine.ts";
import { batchWidth, type PlannedBatch } from "./plan-batches.ts";

export interface BatchSettings {
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
  readonly rotaryDim: number;
  /** How many tokens at the start of every prompt are left out of the rows, their keys being given; default 0. */
  readonly prefixLength?: number | undefined;
}

/** Rows are padded on the right; `pool` holds 1/length on each response's tokens, so that pooling is the mean over the response. */
export function batchInputs(
  examples: readonly TokenizedExample[],
  batch: PlannedBatch,
  { frequencyInputs, rotaryDim, prefixLength = 0 }: BatchSettings,
): Record<string, TensorValue> {
  const rowCount = batch.length; // B
  const width = batchWidth(batch); // T
  const pooled = Math.max(...batch.map((row) => row.responses.length)); // R
  const ids = new Int32Array(rowCount * width);
  const positions = new Int32Array(rowCount * width);
  const segments = new Int32Array(rowCount * width).fill(PADDING_SEGMENT);
  const pool = new Float32Array(rowCount * pooled * width);

  for (const [r, row] of batch.entries()) {
    const { prompt, responses } = examples[row.example]!; // planned from these examples
    let at = r * width;
    const put = (tokens: Int32Array, firstPosition: number, segment: number): void => {
      ids.set(tokens, at);
      segments.fill(segment, at, at + tokens.length);
      for (let i = 0; i < tokens.length; i++) positions[at + i] = firstPosition + i;
      at += tokens.length;
    };
    put(prompt.subarray(prefixLength), prefixLength, PROMPT_SEGMENT);
    for (const [slot, each] of row.responses.entries()) {
      const tokens = responses[each]!;
      const start = (r * pooled + slot) * width + (at - r * width);
      pool.fill(1 / tokens.length, start, start + tokens.length);
      put(tokens, prompt.length, PROMPT_SEGMENT + 1 + slot);
    }
    // Padding repeats a token of the row: another might overflow, and a NaN in a padded column reaches the whole row.
    ids.fill(ids[at - 1]!, at, (r + 1) * width);
  }
  const frequencies = [...frequencyInputs].map(
    ([name, rope]) => [name, batchFrequencies(examples, batch, rope, rotaryDim)] as const,
  );
  return {
    ids: int32(ids, rowCount),
    positions: int32(positions, rowCount),
    segments: int32(segments, rowCount),
    pool: { dtype: "float32", shape: [rowCount, pooled, width], array: pool },
    ...Object.fromEntries(frequencies),
    ...(prefixLength === 0
      ? {}
      : {
          keyPositions: int32(behindPrefix(positions, rowCount, prefixLength), rowCount),
          keySegments: int32(
            behindPrefix(segments, rowCount, prefixLength, PROMPT_SEGMENT),
            rowCount,
          ),
        }),
  };
}

/** The inputs of the graph that gives a prefix's keys. */
export function prefixInputs(
  prefix: Int32Array,
  { frequencyInputs, rotaryDim }: BatchSettings,
): Record<string, TensorValue> {
  return {
    ids: int32(prefix, 1),
    positions: int32(
      Int32Array.from(prefix, (_, i) => i),
      1,
    ),
    segments: int32(new Int32Array(prefix.length).fill(PROMPT_SEGMENT), 1),
    ...Object.fromEntries(
      [...frequencyInputs].map(([name, rope]) => [
        name,
        {
          dtype: "float32",
          shape: [1, rotaryDim / 2],
          array: inverseFrequencies(rope, rotaryDim, prefix.length),
        } as const,
      ]),
    ),
  };
}

function int32(array: Int32Array, rows: number): TensorValue {
  return { dtype: "int32", shape: [rows, array.length / rows], array };
}

/** Every row with the prefix before it: positions 0, 1, 2, …, or one value throughout. */
function behindPrefix(
  values: Int32Array,
  rows: number,
  prefixLength: number,
  fill?: number,
): Int32Array {
  const width = values.length / rows;
  const joined = new Int32Array(rows * (prefixLength + width));
  for (let r = 0; r < rows; r++) {
    const start = r * (prefixLength + width);
    for (let i = 0; i < prefixLength; i++) joined[start + i] = fill ?? i;
    joined.set(values.subarray(r * width, (r + 1) * width), start + prefixLength);
  }
  return joined;
}

/** Each row has its own frequencies: with `dynamic` scaling they depend on the length of the sequence. */
function batchFrequencies(
  examples: readonly TokenizedExample[],
  batch: PlannedBatch,
  rope: RopeScaling,
  rotaryDim: number,
): TensorValue {
  const half = rotaryDim / 2;
  const array = new Float32Array(batch.length * half);
  for (const [r, row] of batch.entries()) {
    const { prompt, responses } = examples[row.example]!; // planned from these examples
    const longest = Math.max(0, ...row.responses.map((each) => responses[each]!.length));
    array.set(inverseFrequencies(rope, rotaryDim, prompt.length + longest), r * half);
  }
  return { dtype: "float32", shape: [batch.length, half], array };
}
