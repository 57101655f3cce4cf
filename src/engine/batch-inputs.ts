import { PADDING_SEGMENT, PROMPT_SEGMENT } from "../model/attention-bias.ts";
import { inverseFrequencies, type RopeScaling } from "../model/rope.ts";
import type { TensorValue } from "../runtime/ort.ts";
import type { TokenizedExample } from "./engine.ts";
import type { PlannedBatch } from "./plan-batches.ts";

/**
 * Fills the inputs of the graph in model/pooled-activations.ts for one batch. Rows are padded on the right; `pool` holds
 * 1/length on each response's tokens, so that pooling is the mean over the response.
 */
export function batchInputs(
  examples: readonly TokenizedExample[],
  batch: PlannedBatch,
  options: { frequencyInputs: ReadonlyMap<string, RopeScaling>; headDim: number },
): Record<string, TensorValue> {
  const rowCount = batch.length; // B
  const width = Math.max(...batch.map((row) => row.length)); // T
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
    put(prompt, 0, PROMPT_SEGMENT);
    for (const [slot, each] of row.responses.entries()) {
      const tokens = responses[each]!;
      const poolRow = (r * pooled + slot) * width - r * width;
      pool.fill(1 / tokens.length, poolRow + at, poolRow + at + tokens.length);
      put(tokens, prompt.length, PROMPT_SEGMENT + 1 + slot);
    }
  }
  const int32 = (array: Int32Array): TensorValue => ({
    dtype: "int32",
    shape: [rowCount, width],
    array,
  });
  return {
    ids: int32(ids),
    positions: int32(positions),
    segments: int32(segments),
    pool: { dtype: "float32", shape: [rowCount, pooled, width], array: pool },
    ...Object.fromEntries(
      [...options.frequencyInputs].map(([name, rope]) => [
        name,
        batchFrequencies(examples, batch, rope, options.headDim),
      ]),
    ),
  };
}

/** Each row has its own frequencies: with `dynamic` scaling they depend on the length of the sequence. */
function batchFrequencies(
  examples: readonly TokenizedExample[],
  batch: PlannedBatch,
  rope: RopeScaling,
  headDim: number,
): TensorValue {
  const half = headDim / 2;
  const array = new Float32Array(batch.length * half);
  for (const [r, row] of batch.entries()) {
    const { prompt, responses } = examples[row.example]!; // planned from these examples
    const longest = Math.max(...row.responses.map((each) => responses[each]!.length));
    array.set(inverseFrequencies(rope, headDim, prompt.length + longest), r * half);
  }
  return { dtype: "float32", shape: [batch.length, half], array };
}
