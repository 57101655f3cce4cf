import { assert, float, array, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { quantile } from "../stats/quantile.ts";
import { findLowNorms } from "./low-norm.ts";

const STORED = { dtype: "F16", dim: 4096 } as const;

describe("findLowNorms", () => {
  it("takes the median of the norms that are not zero", () => {
    const norms = array(float({ min: 0, noNaN: true, noDefaultInfinity: true }), { maxLength: 40 });
    assert(
      property(norms, (values) => {
        const positive = values.filter((value) => value > 0);
        const found = findLowNorms(Float32Array.from(values), STORED);
        expect(found.zero).toBe(values.length - positive.length);
        const expected = positive.length === 0 ? 0 : quantile(positive, 0.5);
        expect(Math.abs(found.median - expected)).toBeLessThanOrEqual(1e-15 * expected);
      }),
    );
  });

  it("marks what is below a twentieth of the median", () => {
    const { threshold, isLow, count, zero } = findLowNorms(
      Float32Array.of(20, 0.9, 22, 0, 1.1),
      STORED,
    );
    expect(threshold).toBeCloseTo(0.05 * 10.55, 6);
    expect([...isLow]).toEqual([0, 0, 0, 1, 0]);
    expect([count, zero]).toEqual([1, 1]);
    expect([...findLowNorms(Float32Array.of(20, 0.9, 22, 0, 1.1), STORED, 0.1).isLow]).toEqual([
      0, 1, 0, 1, 0,
    ]);
  });

  it("marks everything where half precision leaves only its rounding", () => {
    const norms = Float32Array.of(1e-5, 2e-5, 3e-5);
    expect(findLowNorms(norms, STORED).count).toBe(3);
    expect(findLowNorms(norms, { ...STORED, dtype: "F32" }).count).toBe(0);
  });
});
