import { expect, it } from "vitest";

import { jointTail, normalQuantile, upperTail } from "./normal.ts";

it("gives the tails of one and of two normals", () => {
  // scipy 1.16: norm.sf, multivariate_normal.cdf.
  expect(upperTail(1.959963984540054)).toBeCloseTo(0.025, 10);
  expect(upperTail(5) / 2.866515718791933e-7).toBeCloseTo(1, 7);
  expect(upperTail(-1) + upperTail(1)).toBeCloseTo(1, 12);
  expect(jointTail(0, 0)).toBeCloseTo(0.25, 12);
  expect(jointTail(1, 0.5)).toBeCloseTo(0.06251409470966385, 8);
  expect(jointTail(-1, 0.3)).toBeCloseTo(0.7281473406526898, 8);
});

it("gives quantiles whose tails are those asked for", () => {
  for (const p of [1e-6, 0.01, 0.2, 0.5, 0.9, 0.999]) {
    expect(upperTail(-normalQuantile(p)) / p).toBeCloseTo(1, 6);
  }
});
