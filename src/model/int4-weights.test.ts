import * as fc from "fast-check";
import { expect, it } from "vitest";

import { input, parameter } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { INT4_BLOCK, type Int4Matrix, toInt4, withInt4Weights } from "./int4-weights.ts";

/** What number `col` of a row stands for, and its block's step. */
function readBack({ values, scales }: Int4Matrix, row: number, col: number, blocks: number) {
  const block = row * blocks + Math.floor(col / INT4_BLOCK);
  const byte = values[(block * INT4_BLOCK + (col % INT4_BLOCK)) >> 1]!;
  const stored = col % 2 === 0 ? byte & 15 : byte >> 4;
  return { value: (stored - 8) * scales[block]!, step: Math.abs(scales[block]!) };
}

it("is never off by more than half a step of its block, a whole one at the far side of 0, and never NaN", () => {
  const weight = fc.oneof(
    fc.float({ noNaN: true, min: -10, max: 10 }),
    fc.constantFrom(0, 1e-42, -1e-38, 3e38),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 2 * INT4_BLOCK + 5 }),
      fc.array(weight, { minLength: 300, maxLength: 300 }),
      (rows, cols, numbers) => {
        const matrix = Float32Array.from(numbers.slice(0, rows * cols));
        const made = toInt4(matrix, cols);
        const blocks = Math.ceil(cols / INT4_BLOCK);
        expect(made.scales).toHaveLength(rows * blocks);
        expect(made.values).toHaveLength((rows * blocks * INT4_BLOCK) / 2);
        for (const [i, exact] of matrix.entries()) {
          const { value, step } = readBack(made, Math.floor(i / cols), i % cols, blocks);
          // Seven steps are the most on the other side, where eight would be needed.
          const isFar = Math.abs(exact) > 7.5 * step;
          expect(Math.abs(value - exact)).toBeLessThanOrEqual(
            (isFar ? 1 : 0.5) * 1.0001 * step + 1e-35,
          );
        }
        // Behind the end of a row nothing is added to a product.
        for (let col = cols; col < blocks * INT4_BLOCK; col++) {
          for (let row = 0; row < rows; row++)
            expect(readBack(made, row, col, blocks).value).toBeCloseTo(0, 12);
        }
      },
    ),
    { seed: 1 },
  );
});

it("gives the number furthest from 0 as it is", () => {
  const matrix = Float32Array.from({ length: INT4_BLOCK }, (_, i) => (i === 5 ? 0.8 : -0.1));
  const made = toInt4(matrix, INT4_BLOCK);
  expect(readBack(made, 0, 5, 1).value).toBeCloseTo(0.8, 6);
  expect(readBack(made, 0, 6, 1).value).toBeCloseTo(-0.1, 6);
});

it("changes the products with a linear layer's weight, and no others", () => {
  const x = input("x", "float32", ["B", "T", 40]);
  const y = matMul(x, parameter("a.weight.T", [40, 6]));
  const pooled = matMul(input("pool", "float32", ["B", 1, "T"]), y);
  const tied = matMul(y, parameter("table", [9, 6]), { transposeB: true });
  const { parameters } = lowerToOnnx(withInt4Weights({ pooled, tied }));
  expect(parameters.map(({ name, elementType, shape }) => [name, elementType, shape])).toEqual([
    ["a.weight.int4:40", "uint8", [6, 2, 16]],
    ["a.weight.int4.scales", "float32", [6, 2]],
    ["table", "float32", [9, 6]],
  ]);
});
