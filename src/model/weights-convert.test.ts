import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { float32ToBfloat16, float32ToFloat16 } from "../util/float16.ts";
import { createRng } from "../util/rng.ts";
import {
  findNonFinite,
  FLOAT_DTYPES,
  type FloatDtype,
  widen,
  widenTransposed,
} from "./weights-convert.ts";

function store(values: Float32Array, dtype: FloatDtype): Uint8Array {
  const stored =
    dtype === "F32"
      ? values
      : dtype === "F16"
        ? float32ToFloat16(values)
        : float32ToBfloat16(values);
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

/** Small whole numbers: every dtype holds them exactly. */
function wholeNumbers(count: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: count }, () => rng.integer(200) - 100);
}

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 150 }),
  cols: fc.integer({ min: 1, max: 9 }),
});

describe.each(FLOAT_DTYPES)("%s", (dtype) => {
  it("widens in order", () => {
    const values = wholeNumbers(77, 1);
    const widened = new Float32Array(77);
    widen(store(values, dtype), dtype, widened);
    expect(widened).toEqual(values);
  });

  it("transposes any matrix, in any cut into two pieces", () => {
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), ({ rows, cols }, cut) => {
        const values = wholeNumbers(rows * cols, rows);
        const stored = store(values, dtype);
        const rowBytes = stored.length / rows;
        const first = Math.floor(rows * cut);
        const got = new Float32Array(rows * cols).fill(NaN);
        const block = { cols, totalRows: rows };
        widenTransposed(stored.subarray(0, first * rowBytes), dtype, got, {
          ...block,
          rows: first,
          firstRow: 0,
        });
        // A copy, because a piece always starts at the head of its buffer.
        const rest = stored.slice(first * rowBytes);
        widenTransposed(rest, dtype, got, { ...block, rows: rows - first, firstRow: first });
        const want = Float32Array.from(
          values,
          (_, i) => values[(i % rows) * cols + Math.floor(i / rows)]!,
        );
        expect(got).toEqual(want);
      }),
      { numRuns: 60 },
    );
  });

  it.each([NaN, -NaN, Infinity, -Infinity])("finds %s wherever it stands", (bad) => {
    for (const count of [1, 2, 7, 8]) {
      for (let at = 0; at < count; at++) {
        const values = wholeNumbers(count, 3);
        values[at] = bad;
        expect(findNonFinite(store(values, dtype), dtype)).toBe(at);
      }
    }
  });

  it("takes every finite value as finite", () => {
    const largest = { F32: 3.4028234663852886e38, F16: 65504, BF16: 3.3895313892515355e38 }[dtype];
    const values = Float32Array.of(largest, -largest, 0, -0, 1e-45, largest / 2, -largest, largest);
    expect(findNonFinite(store(values, dtype), dtype)).toBeUndefined();
    expect(findNonFinite(store(values.subarray(0, 7), dtype), dtype)).toBeUndefined();
    expect(findNonFinite(new Uint8Array(0), dtype)).toBeUndefined();
  });
});
