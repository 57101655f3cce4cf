/** @file Fills the inputs of the prompt graph for some prompts: rows padded on the right. */
import { PADDING_SEGMENT, PROMPT_SEGMENT } from "../../model/attention-bias.ts";
import { dependsOnLength, inverseFrequencies, type RopeScaling } from "../../model/rope.ts";
import type { TensorValue } from "../../runtime/ort.ts";

/**
 * Inputs for the tokens from `first` up to the last but one of each prompt: the last one is the first that a step runs. What stands
 * before `first` is the prefix, whose keys are inputs too.
 */
export function promptInputs(
  prompts: readonly Int32Array[],
  first: number,
  { frequencyInputs, rotaryDim }: FrequencySettings,
): Record<string, TensorValue> {
  const rows = prompts.length;
  const width = Math.max(...prompts.map((prompt) => prompt.length - 1 - first));
  const ids = new Int32Array(rows * width);
  const places = (length: number): { positions: Int32Array; segments: Int32Array } => ({
    positions: new Int32Array(rows * length),
    segments: new Int32Array(rows * length).fill(PADDING_SEGMENT),
  });
  const own = places(width);
  const keys = places(first + width);
  for (const [r, prompt] of prompts.entries()) {
    const count = prompt.length - 1 - first;
    // Padding repeats a token of the row: another might overflow, and a NaN in a padded column reaches the whole row.
    ids.fill(prompt[0]!, r * width, (r + 1) * width);
    ids.set(prompt.subarray(first, first + count), r * width);
    for (let i = 0; i < count; i++) own.positions[r * width + i] = first + i;
    for (let i = 0; i < first + count; i++) keys.positions[r * (first + width) + i] = i;
    own.segments.fill(PROMPT_SEGMENT, r * width, r * width + count);
    keys.segments.fill(PROMPT_SEGMENT, r * (first + width), r * (first + width) + first + count);
  }
  const lengths = prompts.map((prompt) => prompt.length);
  return {
    ids: int32(ids, rows),
    positions: int32(own.positions, rows),
    segments: int32(own.segments, rows),
    keyPositions: int32(keys.positions, rows),
    keySegments: int32(keys.segments, rows),
    ...frequencyValues(lengths, { frequencyInputs, rotaryDim }),
  };
}

export interface FrequencySettings {
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
  readonly rotaryDim: number;
}

/**
 * Inverse frequencies [B, r/2] for rows whose sequences have these lengths. Where they depend on the length they follow that of the
 * moment. With `dynamic` scaling keys in the cache keep the angles they got, as in transformers' generate for one sequence alone; with
 * `longrope` they are made anew, see RowDecoder.
 */
export function frequencyValues(
  lengths: readonly number[],
  { frequencyInputs, rotaryDim }: FrequencySettings,
): Record<string, TensorValue> {
  const half = rotaryDim / 2;
  return Object.fromEntries(
    [...frequencyInputs].map(([name, rope]) => {
      const array = new Float32Array(lengths.length * half);
      const fixed = dependsOnLength(rope) ? undefined : inverseFrequencies(rope, rotaryDim, 1);
      for (const [r, length] of lengths.entries()) {
        array.set(fixed ?? inverseFrequencies(rope, rotaryDim, length), r * half);
      }
      return [name, { dtype: "float32", shape: [lengths.length, half], array } as const];
    }),
  );
}

/** An int32 input of `rows` rows. */
export function int32(array: Int32Array, rows: number): TensorValue {
  return { dtype: "int32", shape: [rows, array.length / rows], array };
}
