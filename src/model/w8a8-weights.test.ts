import * as fc from "fast-check";
import { expect, it } from "vitest";

import { input, parameter, type Tensor } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { rmsNorm } from "../tensor/ops/rms-norm.ts";
import { toW8A8, turnedTogether, withW8A8Products } from "./w8a8-weights.ts";

it("turns the worked row and rounds it", () => {
  const { values, scales } = toW8A8(Float32Array.of(3, 1), 2);
  expect([...values]).toEqual([127, 64]);
  expect(scales[0]).toBeCloseTo(4 / (127 * Math.SQRT2), 7);
});

it("takes the largest block that divides a row", () => {
  expect([576, 1536, 11_008, 4, 6, 7].map(turnedTogether)).toEqual([64, 64, 64, 4, 2, 1]);
});

it("turned back, is never off by more than half a step a number, whatever the sizes", () => {
  const weight = fc.oneof(
    fc.float({ noNaN: true, min: -10, max: 10 }),
    fc.constantFrom(0, 1e-42, -1e-38, 1e30),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(1, 3, 8, 24, 64, 72),
      fc.array(weight, { minLength: 288, maxLength: 288 }),
      (rows, cols, numbers) => {
        const matrix = Float32Array.from(numbers.slice(0, rows * cols));
        const { values, scales } = toW8A8(matrix.slice(), cols);
        const size = turnedTogether(cols);
        for (let row = 0; row < rows; row++) {
          const step = scales[row]!;
          let off = 0;
          let largest = 0;
          for (let col = 0; col < cols; col++) {
            // The transform is its own inverse; here by its definition.
            const start = col - (col % size);
            let back = 0;
            for (let k = 0; k < size; k++) {
              const sign = popCount((col - start) & k) % 2 === 0 ? 1 : -1;
              back += (sign * values[(start + k) * rows + row]! * step) / Math.sqrt(size);
            }
            const exact = matrix[row * cols + col]!;
            off += (back - exact) ** 2;
            largest = Math.max(largest, Math.abs(exact));
          }
          // Turning changes no lengths, so all numbers of a row together are off by half a step each at most.
          expect(Math.sqrt(off)).toBeLessThanOrEqual(
            0.51 * step * Math.sqrt(cols) + 1e-6 * largest + 1e-35,
          );
        }
      },
    ),
    { seed: 1 },
  );
});

it("changes the products with a linear layer's weight, and no others; what turns x is shared", () => {
  const x = input("x", "float32", ["B", "T", 48]);
  const product = (of: Tensor, name: string, size: number): Tensor =>
    matMul(of, parameter(`${name}.weight.T`, [of.shape.at(-1) as number, size]));
  const normed = rmsNorm(x, parameter("norm", [48]), 1e-5);
  const [a, b] = [product(normed, "a", 6), product(normed, "b", 6)];
  const tied = matMul(a, parameter("table", [9, 6]), { transposeB: true });
  const { parameters, nodeCount } = lowerToOnnx(withW8A8Products({ tied, b }));
  expect(parameters.map(({ name, elementType, shape }) => [name, elementType, shape])).toEqual([
    ["norm", "float32", [48]],
    ["a.weight.w8a8", "int8", [48, 6]],
    ["a.weight.w8a8.scales", "float32", [6]],
    ["table", "float32", [9, 6]],
    ["b.weight.w8a8", "int8", [48, 6]],
    ["b.weight.w8a8.scales", "float32", [6]],
  ]);
  const alone = lowerToOnnx(withW8A8Products({ tied })).nodeCount;
  expect(nodeCount - alone).toBe(2); // one product more, and the name of its output
});

function popCount(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}
