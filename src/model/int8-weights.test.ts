import * as fc from "fast-check";
import { expect, it } from "vitest";

import { input, parameter } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { INT8_BLOCK, toInt8, withInt8Weights } from "./int8-weights.ts";

it("is never off by more than half a step of its block, and never NaN", () => {
  const weight = fc.oneof(
    fc.float({ noNaN: true, min: -10, max: 10 }),
    fc.constantFrom(0, 1e-42, -1e-38, 3e38),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 2 * INT8_BLOCK + 5 }),
      fc.array(weight, { minLength: 300, maxLength: 300 }),
      (rows, cols, numbers) => {
        const matrix = Float32Array.from(numbers.slice(0, rows * cols));
        const { values, scales } = toInt8(matrix, cols);
        const blocks = Math.ceil(cols / INT8_BLOCK);
        expect(scales).toHaveLength(rows * blocks);
        for (const [i, exact] of matrix.entries()) {
          const row = Math.floor(i / cols);
          const step = scales[row * blocks + Math.floor((i % cols) / INT8_BLOCK)]!;
          expect(Math.abs(values[i]!)).toBeLessThanOrEqual(127);
          const off = Math.abs(values[i]! * step - exact);
          expect(off).toBeLessThanOrEqual(0.5001 * step + 1e-35);
        }
      },
    ),
    { seed: 1 },
  );
});

it("keeps a loud weight from the blocks beside its own", () => {
  const matrix = new Float32Array(2 * INT8_BLOCK).fill(0.01);
  matrix[0] = 100;
  const { values, scales } = toInt8(matrix, 2 * INT8_BLOCK);
  expect(values[1]).toBe(0);
  expect(values[INT8_BLOCK]! * scales[1]!).toBeCloseTo(0.01, 7);
});

it("changes the products with a linear layer's weight, and no others", () => {
  const x = input("x", "float32", ["B", "T", 40]);
  const y = matMul(x, parameter("a.weight.T", [40, 6]));
  const pooled = matMul(input("pool", "float32", ["B", 1, "T"]), y);
  const tied = matMul(y, parameter("table", [9, 6]), { transposeB: true });
  const { parameters } = lowerToOnnx(withInt8Weights({ pooled, tied }));
  expect(parameters.map(({ name, elementType, shape }) => [name, elementType, shape])).toEqual([
    ["a.weight.int8", "int8", [6, 40]],
    ["a.weight.int8.scales", "float32", [6, 2]],
    ["table", "float32", [9, 6]],
  ]);
});
