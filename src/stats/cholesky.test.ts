import { expect, it } from "vitest";

import { createRng } from "../util/rng.ts";
import { dot } from "../util/vector.ts";
import { choleskyFactor, choleskySolve, gramCoordinates } from "./cholesky.ts";
import { gramMatrix } from "./gram.ts";

const rng = createRng(1);
const draw = (count: number): Float64Array =>
  Float64Array.from({ length: count }, () => rng.normal());

it.each([1, 3, 4, 5, 9])("the Gram matrix of %i rows holds their inner products", (count) => {
  const rows = draw(count * 6);
  const row = (i: number): Float64Array => rows.subarray(i * 6, (i + 1) * 6);
  const gram = gramMatrix(rows, 6);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < count; k++) {
      expect(gram[i * count + k]).toBeCloseTo(dot(row(i), row(k)), 12);
    }
  }
});

it("a system of equations is solved", () => {
  const gram = gramMatrix(draw(7 * 9), 9);
  const want = draw(7);
  const right = Float64Array.from({ length: 7 }, (_, i) =>
    dot(gram.subarray(i * 7, i * 7 + 7), want),
  );
  const factor = choleskyFactor(gram, 7)!;
  for (const [i, value] of choleskySolve(factor, right).entries()) {
    expect(value).toBeCloseTo(want[i]!, 9);
  }
});

it("a matrix that is singular, negative or not a number has no factor", () => {
  expect(choleskyFactor(Float64Array.from([1, 1, 1, 1]), 2)).toBeUndefined();
  expect(choleskyFactor(Float64Array.from([-1]), 1)).toBeUndefined();
  expect(choleskyFactor(Float64Array.from([Number.NaN]), 1)).toBeUndefined();
});

it("coordinates have the inner products of the vectors and as many columns as their rank", () => {
  const rows = draw(8 * 5);
  // The last row repeats the first.
  rows.copyWithin(7 * 5, 0, 5);
  const gram = gramMatrix(rows, 5);
  const { rank, rows: coordinates } = gramCoordinates(gram, 8);
  expect(rank).toBe(5);
  for (const [at, product] of gramMatrix(coordinates, rank).entries()) {
    expect(product).toBeCloseTo(gram[at]!, 9);
  }
});
