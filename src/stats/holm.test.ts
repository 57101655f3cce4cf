import { expect, it } from "vitest";

import { holm } from "./holm.ts";

it("gives the worked example's values in their order, and nothing above 1", () => {
  const rounded = (ps: readonly number[]): number[] =>
    holm(ps).map((p) => Number(p.toPrecision(12)));
  expect(rounded([0.03, 0.01, 0.04])).toEqual([0.06, 0.03, 0.06]);
  expect(rounded([0.9, 0.6])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
