import { describe, expect, it } from "vitest";

import { wilsonShare } from "./wilson.ts";

describe("wilsonShare", () => {
  // scipy.stats.binomtest(count, of).proportion_ci(method="wilson"), SciPy 1.x
  it.each([
    [0, 10, 0, 0.27753279986288926],
    [3, 10, 0.10779126740630102, 0.6032218525388546],
    [50, 100, 0.4038315303659956, 0.5961684696340044],
    [120, 120, 0.9689808335812965, 1],
    [1, 1, 0.20654931437723745, 1],
  ])("gives SciPy's interval for %i of %i", (count, of, low, high) => {
    const share = wilsonShare(count, of);
    expect(Math.abs(share.low! - low)).toBeLessThan(1e-12);
    expect(Math.abs(share.high! - high)).toBeLessThan(1e-12);
    expect(share.share).toBe(count / of);
  });

  it("has no share of nothing", () => {
    expect(wilsonShare(0, 0)).toEqual({
      count: 0,
      of: 0,
      share: undefined,
      low: undefined,
      high: undefined,
    });
  });
});
