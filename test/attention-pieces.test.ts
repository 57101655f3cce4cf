import { describe, expect, it } from "vitest";

import { compile } from "../src/runtime/ort.ts";
import { input } from "../src/tensor/graph.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { attention } from "../src/tensor/ops/attention.ts";
import { createRng } from "../src/util/rng.ts";

const [ROWS, WIDTH, HEADS, KEY_HEADS, SIZE] = [2, 11, 4, 2, 3];

interface Values {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/** `before` keys that every query sees, then one for each query, seen from itself on. */
async function attend(
  before: number,
  { query, key, value }: Values,
  pieces: number | undefined,
): Promise<Float32Array> {
  const keys = before + WIDTH;
  const output = attention(
    input("query", "float32", ["B", "T", HEADS * SIZE]),
    input("key", "float32", ["B", "S", KEY_HEADS * SIZE]),
    input("value", "float32", ["B", "S", KEY_HEADS * SIZE]),
    input("bias", "float32", ["B", 1, "T", "S"]),
    { heads: HEADS, keyHeads: KEY_HEADS, scale: 0.5, pieces },
  );
  const bias = Float32Array.from({ length: ROWS * WIDTH * keys }, (_, i) =>
    i % keys > before + (Math.floor(i / keys) % WIDTH) ? -1e30 : 0,
  );
  await using program = await compile(lowerToOnnx({ output }), { threads: 1 });
  const found = await program.run({
    query: { dtype: "float32", shape: [ROWS, WIDTH, HEADS * SIZE], array: query },
    key: { dtype: "float32", shape: [ROWS, keys, KEY_HEADS * SIZE], array: key },
    value: { dtype: "float32", shape: [ROWS, keys, KEY_HEADS * SIZE], array: value },
    bias: { dtype: "float32", shape: [ROWS, 1, WIDTH, keys], array: bias },
  });
  return found["output"]!.array as Float32Array;
}

function randomValues(before: number): Values {
  const rng = createRng(5);
  const normal = (length: number): Float32Array =>
    Float32Array.from({ length }, () => rng.normal());
  const keys = ROWS * (before + WIDTH) * KEY_HEADS * SIZE;
  return { query: normal(ROWS * WIDTH * HEADS * SIZE), key: normal(keys), value: normal(keys) };
}

describe.each([0, 5])("queries in pieces, behind %i keys", (before) => {
  it.each([1, 2, 3, 4, WIDTH])("give what they give at once, in %i", async (pieces) => {
    const values = randomValues(before);
    const want = await attend(before, values, undefined);
    const got = await attend(before, values, pieces);
    for (const [i, each] of want.entries()) expect(Math.abs(got[i]! - each)).toBeLessThan(1e-6);
  });

  it("do not meet the keys behind their own piece", async () => {
    const values = randomValues(before);
    const width = KEY_HEADS * SIZE;
    const keys = before + WIDTH;
    // Not a number is one however it is hidden: the last key of every row.
    for (let row = 0; row < ROWS; row++) {
      values.key.fill(NaN, ((row + 1) * keys - 1) * width, (row + 1) * keys * width);
      values.value.fill(NaN, ((row + 1) * keys - 1) * width, (row + 1) * keys * width);
    }
    const finite = async (pieces: number): Promise<number> =>
      (await attend(before, values, pieces)).filter((each) => Number.isFinite(each)).length;
    expect(await finite(1)).toBe(0);
    // The first two pieces of three have ⌊2 · 11 / 3⌋ queries.
    expect(await finite(3)).toBe(ROWS * 7 * HEADS * SIZE);
  });
});
