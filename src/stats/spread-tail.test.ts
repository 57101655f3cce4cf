import { expect, it } from "vitest";

import { upperTail } from "./normal.ts";
import { eigenvalues, spreadTail } from "./spread-tail.ts";
import { twoSidedTail } from "./student-t.ts";

it("is Student's t where the weights are equal, as in the worked example", () => {
  expect(spreadTail(3, [1])).toBeCloseTo(1 / 2 - Math.atan(3) / Math.PI, 5);
  for (const k of [1, 2, 4, 9]) {
    for (const q of [0, 0.5, 2, 5]) {
      const weights = Array.from({ length: k }, () => 1 / k);
      expect(spreadTail(q, weights)).toBeCloseTo(twoSidedTail(q, k) / 2, 5);
      expect(spreadTail(-q, weights)).toBeCloseTo(1 - twoSidedTail(q, k) / 2, 5);
    }
  }
  const many = Array.from({ length: 1e5 }, () => 1e-5);
  expect(spreadTail(3, many) / upperTail(3)).toBeCloseTo(1, 3);
});

it("has a heavier tail where few weights are large", () => {
  const unequal = spreadTail(3, [0.7, 0.1, 0.1, 0.1]);
  expect(unequal).toBeGreaterThan(spreadTail(3, [0.25, 0.25, 0.25, 0.25]));
  expect(unequal).toBeLessThan(spreadTail(3, [1]));
});

it("gives eigenvalues", () => {
  expect([...eigenvalues([2, 1, 1, 2], 2)].toSorted((a, b) => a - b)).toEqual(
    [1, 3].map((each) => expect.closeTo(each, 12)),
  );
  // u uᵀ of u = (1, 2, ..., 40) has one, its length squared.
  const rank1 = Array.from({ length: 1600 }, (_, i) => ((i % 40) + 1) * (Math.floor(i / 40) + 1));
  const found = [...eigenvalues(rank1, 40)].toSorted((a, b) => b - a);
  expect(found[0]).toBeCloseTo((40 * 41 * 81) / 6, 6);
  expect(found[1]).toBeCloseTo(0, 6);
});
