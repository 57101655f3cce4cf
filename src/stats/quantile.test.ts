import { expect, test } from "vitest";

import { quantile } from "./quantile.ts";

test("interpolates between order statistics as NumPy does", () => {
  // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0, .025, .5, .9, 1])
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const found = [0, 0.025, 0.5, 0.9, 1].map((q) => quantile(values, q));
  [1, 1, 3.5, 6.9, 9].forEach((want, i) => expect(Math.abs(found[i]! - want)).toBeLessThan(1e-12));
  expect(values[0]).toBe(3);
});

test("of one value is that value, and no values is a bug of the caller", () => {
  expect(quantile([7], 0.3)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow("internal");
});
