import { describe, expect, it } from "vitest";

import { createRng } from "../util/rng.ts";
import { incompleteBeta } from "./beta.ts";
import { twoSidedQuantile, twoSidedTail } from "./student-t.ts";
import {
  halfWidth,
  levelAt,
  marginParts,
  pooledSeedsDf,
  twoWayVariance,
} from "./two-way-variance.ts";

const parts = (ofPrompts: number, ofSeeds: number) => ({
  ofPrompts,
  promptsDf: 40,
  ofSeeds,
  seedsDf: 2,
});

describe("halfWidth", () => {
  it("is Student's where one source makes all of the error", () => {
    expect(halfWidth(parts(4, 0), 0.05)).toBeCloseTo(2 * twoSidedQuantile(0.05, 40), 10);
    expect(halfWidth(parts(0, 4), 0.05)).toBeCloseTo(2 * twoSidedQuantile(0.05, 2), 10);
  });

  it.each([0.5, 0.05, 1e-4])("is undone by levelAt (level %d)", (level) => {
    for (const margin of [parts(1, 0), parts(1, 0.3), parts(0.1, 2)]) {
      expect(levelAt(margin, halfWidth(margin, level)) / level).toBeCloseTo(1, 6);
    }
  });

  it("pools the degrees of freedom of what seeds add to two arms", () => {
    expect(pooledSeedsDf([parts(1, 3), parts(1, 3)])).toBeCloseTo(4, 10);
    expect(pooledSeedsDf([parts(1, 3), { ...parts(1, 0), seedsDf: 0 }])).toBeCloseTo(2, 10);
    expect(pooledSeedsDf([{ ...parts(1, 0), seedsDf: 0 }])).toBe(0);
  });
});

/** The middles of `count` equally likely parts of a chi-squared variable over its degrees of freedom, as the limit of F. */
function chiSquared(df: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    let [low, high] = [0, 60];
    for (let step = 0; step < 50; step++) {
      const middle = (low + high) / 2;
      // F with df and 1e6 degrees of freedom.
      const below = incompleteBeta((df * middle) / (df * middle + 1e6), df / 2, 5e5);
      if (below < (i + 0.5) / count) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  });
}

describe("intervals of normal layouts with many prompts, integrated over what seeds show", () => {
  it.each([
    [3, 0.93, 0.9725],
    [4, 0.935, 0.97],
    [5, 0.935, 0.97],
    [8, 0.94, 0.97],
  ])(
    "%i seeds hold the truth in %d to %d of the cases, whatever seeds and prompts vary by",
    (seeds, least, most) => {
      const seen = chiSquared(seeds - 1, 200);
      const held = (ofPrompts: number, ofSeeds: number): number => {
        const shares = seen.map((each) => {
          const margin = marginParts(ofPrompts, (1 + ofSeeds) * each, 1, seeds - 1);
          const half = halfWidth({ ...margin, promptsDf: Infinity, seedsDf: seeds - 1 }, 0.05);
          return 1 - twoSidedTail(half / Math.sqrt(ofPrompts + ofSeeds), Infinity);
        });
        return shares.reduce((sum, share) => sum + share, 0) / shares.length;
      };
      const all = [1, 1.3, 2, 4, 10, 40].flatMap((ofPrompts) =>
        [0, 0.3, 1, 2, 3, 4, 6, 10, 30, 100, 300].map((ofSeeds) => held(ofPrompts, ofSeeds)),
      );
      expect(Math.min(...all)).toBeGreaterThan(least);
      expect(Math.max(...all)).toBeLessThan(most);
    },
  );
});

describe("intervals over three seeds", () => {
  it.each([
    ["seeds alike, prompts alike", 0, 0.02],
    ["seeds alike, prompts apart", 0, 1],
    ["seeds make half of the error", 0.1, 0.3],
    ["seeds make most of the error", 0.5, 0.3],
  ])("hold the truth in 93 to 97 of 100 cases: %s", (_, seedSd, promptSd) => {
    const rng = createRng(5);
    const [seeds, prompts, runs] = [3, 60, 1500];
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const bySeed = Array.from({ length: seeds }, () => seedSd * rng.normal());
      const byPrompt = Array.from({ length: prompts }, () => promptSd * rng.normal());
      const cells = Float64Array.from(
        { length: seeds * prompts },
        (__, i) => bySeed[Math.floor(i / prompts)]! + byPrompt[i % prompts]! + rng.normal(),
      );
      const mean = cells.reduce((sum, value) => sum + value, 0) / cells.length;
      const { margin } = twoWayVariance(
        cells.map((value) => value - mean),
        seeds,
      );
      if (Math.abs(mean) <= halfWidth(margin, 0.05)) held++;
    }
    expect(held / runs).toBeGreaterThan(0.925);
    expect(held / runs).toBeLessThan(0.98);
  });
});
