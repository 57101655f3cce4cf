import { describe, expect, it } from "vitest";

import { createRng } from "./rng.ts";
import { twoSidedQuantile } from "./student-t.ts";
import { halfWidth, levelAt, pooledSeedsDf, twoWayVariance } from "./two-way-variance.ts";

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
