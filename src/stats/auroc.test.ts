import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { createRng } from "../util/rng.ts";
import { auroc } from "./auroc.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/auroc/auroc.json", import.meta.url), "utf8"),
) as { cases: { positives: number[]; negatives: number[]; auroc: number }[] };

describe("auroc", () => {
  it("gives scikit-learn's values, ties included", () => {
    for (const { positives, negatives, auroc: want } of golden.cases) {
      const got = auroc(positives, negatives, { rng: createRng(1), replicates: 10 });
      expect(Math.abs(got!.value - want)).toBeLessThan(1e-12);
    }
  });

  it("has an interval that covers the truth of most simulated samples", () => {
    const rng = createRng(3);
    // Two normals one standard deviation apart: P(X > Y) = Φ(1/√2).
    const truth = 0.7602499389;
    let covered = 0;
    for (let i = 0; i < 200; i++) {
      const positives = Array.from({ length: 40 }, () => rng.normal() + 1);
      const negatives = Array.from({ length: 40 }, () => rng.normal());
      const { low, high } = auroc(positives, negatives, { rng, replicates: 200 })!;
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered).toBeGreaterThan(178);
    expect(covered).toBeLessThan(200);
  });

  it("says nothing where a class is empty", () => {
    expect(auroc([], [1], { rng: createRng(1) })).toBeUndefined();
    expect(auroc([1], [], { rng: createRng(1) })).toBeUndefined();
  });
});
