import { describe, expect, it } from "vitest";

import { createRng } from "../util/rng.ts";
import { missedPairs } from "./missed-pairs.ts";

describe("missedPairs", () => {
  it("gives the worked number", () => {
    const left = {
      first: Float32Array.of(0.495, 0.47),
      threshold: 0.5,
      errors: Float64Array.of(-0.01, 0.01),
    };
    expect(missedPairs(left, createRng(1)).expected).toBeCloseTo(0.517, 2);
  });

  it("expects none where all are far, and none of no pairs", () => {
    const errors = Float64Array.from({ length: 50 }, (_, i) => (i - 25) / 1e4);
    const far = { first: new Float32Array(1000).fill(0.1), threshold: 0.5, errors };
    expect(missedPairs(far, createRng(1))).toEqual({ expected: 0, high: 0 });
    const none = { first: new Float32Array(0), threshold: 0.5, errors };
    expect(missedPairs(none, createRng(1))).toEqual({ expected: 0, high: 0 });
  });

  it("expects a pair above the threshold to be missed but for its own error", () => {
    const errors = Float64Array.from({ length: 40 }, (_, i) => (i - 20) / 1000);
    const above = { first: Float32Array.of(0.6), threshold: 0.5, errors };
    expect(missedPairs(above, createRng(1)).expected).toBeCloseTo(1, 6);
  });

  /** Scores with errors of their own, the top by first scores known exactly. */
  function simulate(seed: number, draw: (rng: ReturnType<typeof createRng>) => number) {
    const rng = createRng(seed);
    const [pairs, top, known, sample] = [4000, 40, 60, 100];
    const exact = Float64Array.from({ length: pairs }, () => 0.1 * rng.normal());
    const first = exact.map((score) => score - draw(rng));
    const order = [...first.keys()].toSorted((a, b) => first[b]! - first[a]!);
    const audit = rng.shuffle([...first.keys()]).slice(0, sample);
    const read = new Set([...order.slice(0, known), ...audit]);
    const threshold = [...read].map((i) => exact[i]!).toSorted((a, b) => b - a)[top - 1]!;
    const left = order.filter((i) => !read.has(i));
    const found = missedPairs(
      {
        first: Float32Array.from(left, (i) => first[i]!),
        threshold,
        errors: Float64Array.from(audit, (i) => exact[i]! - first[i]!),
      },
      rng,
    );
    return { ...found, truth: left.filter((i) => exact[i]! > threshold).length };
  }

  it.each([
    ["normal errors", (rng: ReturnType<typeof createRng>) => 0.01 * rng.normal()],
    [
      "errors of two sizes",
      (rng: ReturnType<typeof createRng>) => (rng.uniform() < 0.1 ? 0.04 : 0.005) * rng.normal(),
    ],
  ])("does not promise too much: %s", (_name, draw) => {
    const runs = Array.from({ length: 60 }, (_, seed) => simulate(seed, draw));
    const sum = (of: (run: (typeof runs)[number]) => number): number =>
      runs.reduce((total, run) => total + of(run), 0);
    // First scores at the top are too high on average, so that more is expected than comes.
    expect(sum(({ truth }) => truth)).toBeGreaterThan(0);
    expect(sum(({ expected }) => expected)).toBeGreaterThan(sum(({ truth }) => truth));
    expect(runs.filter(({ truth, high }) => truth > Math.ceil(high)).length).toBeLessThanOrEqual(3);
  });
});
