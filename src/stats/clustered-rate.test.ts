import { describe, expect, it } from "vitest";

import golden from "../../test/golden/rates/rates.json" with { type: "json" };
import { createRng } from "../util/rng.ts";
import { clusteredRate, estimateRate, type RateCells, scoreInterval } from "./clustered-rate.ts";
import { twoSidedQuantile, twoSidedTail } from "./student-t.ts";

const cellsOf = (seeds: number, prompts: number, shows: number[], judged: number[]): RateCells => ({
  seeds,
  prompts,
  shows: Float64Array.from(shows),
  judged: Float64Array.from(judged),
});

describe("Student's t", () => {
  it.each(golden.t)("has SciPy's tail and quantile ($q, $df degrees)", (each) => {
    expect(twoSidedTail(each.q, each.df)).toBeCloseTo(each.tail, 8);
    expect(twoSidedQuantile(each.of, each.df) / each.quantile).toBeCloseTo(1, 6);
  });
});

describe("estimateRate", () => {
  it.each(golden.rates.map((each, i) => [i, each] as const))(
    "gives NumPy's rate, variance over prompts and seeds, and interval (case %i)",
    (_, { seeds, prompts, shows, judged, rate, variance, low, high }) => {
      const found = estimateRate(cellsOf(seeds, prompts, shows, judged))!;
      expect(Math.abs(found.rate - rate)).toBeLessThan(1e-14);
      expect(Math.abs(found.variance / variance - 1)).toBeLessThan(1e-10);
      const interval = clusteredRate(cellsOf(seeds, prompts, shows, judged));
      expect(Math.abs(interval.low! - low)).toBeLessThan(1e-8);
      expect(Math.abs(interval.high! - high)).toBeLessThan(1e-8);
    },
  );

  it("counts a prompt whose rollouts all agree once, however many rollouts it has", () => {
    const few = estimateRate(cellsOf(1, 4, [1, 0, 0, 1], [1, 1, 1, 1]))!;
    const many = estimateRate(cellsOf(1, 4, [50, 0, 0, 50], [50, 50, 50, 50]))!;
    expect(many.variance).toBeCloseTo(few.variance, 12);
    expect(many.effective).toBeCloseTo(3, 12); // 4 prompts, one degree spent on the mean
  });

  it("does not let seeds that differ pass for many rollouts", () => {
    const same = estimateRate(cellsOf(2, 50, Array(100).fill(5), Array(100).fill(10)))!;
    const apart = [...Array<number>(50).fill(2), ...Array<number>(50).fill(8)];
    const differ = clusteredRate(cellsOf(2, 50, apart, Array(100).fill(10)));
    expect(same.rate).toBe(0.5);
    expect(differ.high! - differ.low!).toBeGreaterThan(0.9);
  });
});

describe("scoreInterval", () => {
  it.each(golden.wilson)("is SciPy's Wilson interval ($rate, $effective, $q)", (each) => {
    const { low, high } = scoreInterval(each, each.q);
    expect(low).toBeCloseTo(each.low, 12);
    expect(high).toBeCloseTo(each.high, 12);
  });
});

describe("clusteredRate", () => {
  it("has a width at 0% and 100%, by the number of prompts", () => {
    const none = clusteredRate(cellsOf(1, 30, Array(30).fill(0), Array(30).fill(20)));
    const all = clusteredRate(cellsOf(1, 30, Array(30).fill(20), Array(30).fill(20)));
    expect([none.low, none.effective]).toEqual([0, 30]);
    expect(none.high).toBeGreaterThan(0.1);
    expect(none.high).toBeLessThan(0.14);
    expect(all.high).toBe(1);
    expect(all.low).toBeCloseTo(1 - none.high!, 12);
  });

  it("says nothing where nothing was judged, and leaves out prompts without a judged rollout", () => {
    expect(clusteredRate(cellsOf(1, 2, [0, 0], [0, 0])).rate).toBeUndefined();
    expect(clusteredRate(cellsOf(1, 0, [], [])).rate).toBeUndefined();
    expect(clusteredRate(cellsOf(1, 3, [1, 0, 0], [2, 0, 2])).prompts).toBe(2);
  });

  it("covers the true rate of clustered rollouts in about 95 of 100 samples", () => {
    const rng = createRng(9);
    let covered = 0;
    for (let sample = 0; sample < 1000; sample++) {
      const shows = Array.from({ length: 60 }, () => {
        // A beta(1, 3) rate for each prompt: mean 1/4.
        const rate = 1 - rng.uniform() ** (1 / 3);
        return Array.from({ length: 8 }, () => (rng.uniform() < rate ? 1 : 0)).reduce<number>(
          (sum, each) => sum + each,
          0,
        );
      });
      const { low, high } = clusteredRate(cellsOf(1, 60, shows, Array(60).fill(8)));
      if (low! <= 0.25 && 0.25 <= high!) covered++;
    }
    expect(covered).toBeGreaterThan(930);
    expect(covered).toBeLessThan(970);
  });
});
