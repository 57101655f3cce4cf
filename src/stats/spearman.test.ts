import { describe, expect, it } from "vitest";

import golden from "../../test/golden/ranking/statistics.json" with { type: "json" };
import { createRng } from "../util/rng.ts";
import { averageRanks, spearman } from "./spearman.ts";

describe("spearman", () => {
  it.each(golden.spearman.map((each, i) => [i, each] as const))(
    "gives SciPy's correlation and its interval (case %i)",
    (_, { x, y, r, low, high }) => {
      const found = spearman(x, y)!;
      expect(Math.abs(found.r - r)).toBeLessThan(1e-12);
      expect(Math.abs(found.low - low)).toBeLessThan(1e-12);
      expect(Math.abs(found.high - high)).toBeLessThan(1e-12);
      expect(found.n).toBe(x.length);
    },
  );

  it("has no value where one side is constant or there are too few points", () => {
    expect(spearman([1, 2, 3, 4], [7, 7, 7, 7])).toBeUndefined();
    expect(spearman([1, 2, 3], [1, 2, 3])).toBeUndefined();
  });

  it("is exactly 1 or -1 for the same or the opposite order", () => {
    expect(spearman([1, 2, 3, 9], [2, 4, 8, 16])).toMatchObject({ r: 1, high: 1, n: 4 });
    expect(spearman([1, 2, 3, 9], [8, 4, 2, 1])).toMatchObject({ r: -1, low: -1 });
  });

  it("has an interval of some width where all ranks agree, or all are reversed", () => {
    const twenty = Array.from({ length: 20 }, (_, i) => i);
    const same = spearman(twenty, twenty)!;
    expect(same.low).toBeCloseTo(0.9952, 4);
    const reversed = spearman(twenty, twenty.toReversed())!;
    expect(reversed.high).toBeCloseTo(-same.low, 12);
    // Of four points nothing is known.
    expect(spearman([1, 2, 3, 4], [1, 2, 3, 4])!.low).toBeLessThan(0);
  });

  it("covers the true correlation in about 95 of 100 samples", () => {
    const rng = createRng(4);
    const rho = 0.6;
    // Spearman's of a binormal distribution (Pearson 1907).
    const truth = (6 / Math.PI) * Math.asin(rho / 2);
    let covered = 0;
    for (let sample = 0; sample < 2000; sample++) {
      const x = Array.from({ length: 100 }, () => rng.normal());
      const y = x.map((value) => rho * value + Math.sqrt(1 - rho * rho) * rng.normal());
      const { low, high } = spearman(x, y)!;
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered / 2000).toBeGreaterThan(0.935);
    expect(covered / 2000).toBeLessThan(0.97);
  });
});

describe("averageRanks", () => {
  it("gives ties the mean of their ranks", () => {
    expect([...averageRanks([3, 1, 3, 2, 3])]).toEqual([4, 1, 4, 2, 4]);
  });

  it.each([
    ["single precision holds", [0.5, -0, -3, 0, -3, Infinity, -2.5, 1e-40]],
    ["single precision does not hold", [0.1, -0, -3, 0, -3, Infinity, -2.5, 1e-300]],
  ])("ranks values of all signs and sizes that %s", (_, values) => {
    expect([...averageRanks(values)]).toEqual([7, 4.5, 1.5, 4.5, 1.5, 8, 3, 6]);
  });
});
