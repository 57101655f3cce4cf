import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { createRng, type Rng } from "../util/rng.ts";
import { diagnoseLayer, judgeStability, type LayerDiagnostics } from "./diagnostics.ts";
import { meanDifference, pairWeights, scenarioBank, WEIGHTINGS } from "./mean-difference.ts";
import { groupKeys, sumByPrompt } from "./prompt-groups.ts";
import { drawMixedSigns, nullDirections, testNorm } from "./sign-flips.ts";
import {
  bootstrapCosine,
  drawBootstraps,
  drawHalves,
  leaveOnePromptOut,
  splitHalfStability,
} from "./stability.ts";

interface GoldenFigures {
  readonly direction: number[];
  readonly splitHalf: { mean: number; low: number; high: number; reliability: number };
  readonly bootstrap: { mean: number; low: number; high: number };
  readonly normNull: { p: number; median: number; high: number };
  readonly nullDirections: number[];
  readonly leaveOneOut: { mean: number; sharePositive: number };
}

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/behavior/golden.json", import.meta.url), "utf8"),
) as Record<(typeof WEIGHTINGS)[number], GoldenFigures> & {
  readonly prompts: string[];
  readonly scenarios: string[];
  readonly differences: number[];
  readonly halves: number[][];
  readonly times: number[][];
  readonly signs: number[][];
  readonly bank: number[];
};

test.each(WEIGHTINGS)("with %s weighting every figure is NumPy's", (weighting) => {
  const want = golden[weighting];
  const differences = Float32Array.from(golden.differences);
  const grouping = groupKeys(golden.prompts);
  const weights = pairWeights(groupKeys(golden.scenarios), weighting);
  const prompts = sumByPrompt(differences, weights, grouping);
  const signs = golden.signs.map((each) => Int8Array.from(each));

  expect(deviation(meanDifference(differences, weights), want.direction)).toBeLessThan(1e-6);
  const halves = golden.halves.map((each) => Uint8Array.from(each));
  expect(
    figureDeviation(splitHalfStability(prompts, halves), { ...want.splitHalf, draws: 9 }),
  ).toBeLessThan(1e-9);
  const times = golden.times.map((each) => Int32Array.from(each));
  expect(
    figureDeviation(bootstrapCosine(prompts, times), { ...want.bootstrap, draws: 9 }),
  ).toBeLessThan(1e-9);
  expect(
    figureDeviation(testNorm(prompts, signs), { ...want.normNull, smallestP: 1 / 13, flips: 12 }),
  ).toBeLessThan(1e-9);
  expect(
    figureDeviation(leaveOnePromptOut(differences, prompts, grouping), {
      ...want.leaveOneOut,
      pairs: 14,
    }),
  ).toBeLessThan(1e-9);
  const nulls = nullDirections(prompts, signs);
  if (nulls.kind === "not-computed") throw new Error(nulls.reason);
  expect(deviation(nulls.directions, want.nullDirections)).toBeLessThan(1e-6);
});

test("the bank holds the mean of each scenario in the order of first appearance", () => {
  const scenarios = groupKeys(golden.scenarios);
  expect(scenarios.labels).toEqual(["a", "b", "c", "d"]);
  expect(
    deviation(scenarioBank(Float32Array.from(golden.differences), scenarios), golden.bank),
  ).toBeLessThan(1e-6);
});

test("a planted direction under noise is stable, significant and found by single pairs", () => {
  const rng = createRng(1);
  const found = diagnose(plant({ prompts: 60, rollouts: 3, dim: 32, strength: 2, rng }));
  expect(measured(found.splitHalf).mean).toBeGreaterThan(0.7);
  expect(measured(found.splitHalf).reliability!).toBeGreaterThan(measured(found.splitHalf).mean);
  expect(measured(found.normNull).p).toBe(1 / 201);
  expect(measured(found.leaveOneOut).sharePositive).toBeGreaterThan(0.8);
  expect(found.isStable).toBe(true);
});

test("the reliability foretells the cosine between two vectors of as many prompts", () => {
  const rng = createRng(2);
  const samples = Array.from({ length: 40 }, () =>
    plant({ prompts: 40, rollouts: 1, dim: 64, strength: 3, rng }),
  );
  const directions = samples.map(({ differences }) =>
    meanDifference(differences, new Float64Array(40).fill(1)),
  );
  let sum = 0;
  for (let i = 0; i < 40; i += 2) sum += cosineOf(directions[i]!, directions[i + 1]!) / 20;
  const foretold = samples.map((each) => measured(diagnose(each).splitHalf).reliability!);
  expect(Math.abs(foretold.reduce((a, b) => a + b) / 40 - sum)).toBeLessThan(0.05);
});

test("pure noise has halves that do not agree and p-values that are small no oftener than they say", () => {
  const rng = createRng(3);
  const dataSets = Array.from({ length: 200 }, () =>
    diagnose(plant({ prompts: 24, rollouts: 2, dim: 16, strength: 0, rng }), 99),
  );
  const meanSplitHalf =
    dataSets.reduce((sum, each) => sum + measured(each.splitHalf).mean, 0) / 200;
  expect(Math.abs(meanSplitHalf)).toBeLessThan(0.05);
  const share = (below: number): number =>
    dataSets.filter((each) => measured(each.normNull).p <= below).length;
  // 99.9% ranges of Binomial(200, 0.05) and Binomial(200, 0.5).
  expect(share(0.05)).toBeGreaterThanOrEqual(2);
  expect(share(0.05)).toBeLessThanOrEqual(21);
  expect(share(0.5)).toBeGreaterThanOrEqual(77);
  expect(share(0.5)).toBeLessThanOrEqual(123);
  expect(dataSets.filter((each) => each.isStable).length).toBeLessThanOrEqual(4);
});

test("many rollouts of few prompts do not pass for agreement between prompts", () => {
  const rng = createRng(4);
  const dataSet = plant({ prompts: 8, rollouts: 50, dim: 64, strength: 0, rng });
  const byPrompt = diagnose(dataSet);
  expect(byPrompt.isStable).toBe(false);
  expect(measured(byPrompt.splitHalf).mean).toBeLessThan(0.3);
  expect(measured(byPrompt.normNull).p).toBeGreaterThan(0.05);
  // The same differences, each taken for a prompt of its own, look perfectly stable: the fault to avoid.
  const byRollout = diagnose({ ...dataSet, prompts: dataSet.prompts.map((_, i) => `${i}`) });
  expect(byRollout.isStable).toBe(true);
});

test("one prompt with fifty rollouts gets reasons instead of figures, and is not stable", () => {
  const found = diagnose(
    plant({ prompts: 1, rollouts: 50, dim: 8, strength: 5, rng: createRng(5) }),
  );
  for (const figure of [
    found.splitHalf,
    found.bootstrap,
    found.normNull,
    found.leaveOneOut,
    found.nullDirections,
  ]) {
    expect(figure).toEqual({
      kind: "not-computed",
      reason: "too few prompts: 1, at least 4 are needed",
    });
  }
  expect(found.isStable).toBe(false);
  expect(found.norm).toBeGreaterThan(0);
});

test("a p-value cannot be smaller than the number of sign patterns allows", () => {
  const found = diagnose(
    plant({ prompts: 4, rollouts: 1, dim: 64, strength: 50, rng: createRng(6) }),
    500,
  );
  expect(measured(found.normNull).smallestP).toBe(1 / 8);
  expect(measured(found.normNull).p).toBeGreaterThanOrEqual(1 / 8);
  expect(measured(found.normNull).p).toBeLessThan(1 / 8 + 0.06);
  expect(found.isStable).toBe(false);
  expect(found.doubt).toContain("too few prompts or sign flips to tell");
});

test("null directions of a behaviour that all prompts share do not point along it", () => {
  const dataSet = plant({ prompts: 40, rollouts: 1, dim: 256, strength: 30, rng: createRng(7) });
  const weights = new Float64Array(40).fill(1);
  const prompts = sumByPrompt(dataSet.differences, weights, groupKeys(dataSet.prompts));
  const nulls = nullDirections(prompts, drawMixedSigns(40, 30, createRng(1)));
  if (nulls.kind === "not-computed") throw new Error(nulls.reason);
  const direction = meanDifference(dataSet.differences, weights);
  for (let n = 0; n < 30; n++) {
    const one = nulls.directions.subarray(n * 256, (n + 1) * 256);
    expect(Math.abs(cosineOf(one, direction))).toBeLessThan(0.3);
  }
});

test("identical differences have no null direction, and say so", () => {
  const differences = Float32Array.from({ length: 5 * 3 }, (_, i) => (i % 3) + 0.1);
  const found = diagnose({ differences, prompts: ["a", "b", "c", "d", "e"] });
  expect(found.nullDirections.kind).toBe("not-computed");
  expect(measured(found.splitHalf).mean).toBeGreaterThan(0.999);
});

test("a zero difference has no direction and is left out of the leave-one-out mean", () => {
  const dataSet = plant({ prompts: 10, rollouts: 1, dim: 8, strength: 3, rng: createRng(8) });
  dataSet.differences.fill(0, 0, 8);
  expect(measured(diagnose(dataSet).leaveOneOut).pairs).toBe(9);
});

test("halves that cancel exactly are reported, never NaN", () => {
  const differences = Float32Array.from([1, 0, -1, 0, 1, 0, -1, 0, 5, 0, -5, 0]);
  const prompts = sumByPrompt(
    differences,
    new Float64Array(6).fill(1),
    groupKeys(["a", "b", "c", "d", "e", "f"]),
  );
  const found = splitHalfStability(prompts, [Uint8Array.from([1, 1, 0, 0, 0, 0])]);
  expect(found.kind).toBe("not-computed");
});

test("draws are the same for a seed, halve the prompts and keep their number", () => {
  expect(drawHalves(9, 5, createRng(1))).toEqual(drawHalves(9, 5, createRng(1)));
  for (const half of drawHalves(9, 20, createRng(2))) {
    expect(half.reduce((sum, each) => sum + each, 0)).toBe(4);
  }
  for (const times of drawBootstraps(9, 20, createRng(3))) {
    expect(times.reduce((sum, each) => sum + each, 0)).toBe(9);
  }
  for (const signs of drawMixedSigns(2, 20, createRng(4))) expect(signs[0]).toBe(-signs[1]!);
});

test("stable means that halves agree and that random signs seldom give such a length", () => {
  const splitHalf = { kind: "measured", mean: 0.5, low: 0, high: 1, draws: 9 } as const;
  const flips = { kind: "measured", smallestP: 0, median: 1, high: 1, flips: 9 } as const;
  expect(judgeStability(splitHalf, { ...flips, p: 0.049 }).isStable).toBe(true);
  expect(judgeStability(splitHalf, { ...flips, p: 0.05 }).isStable).toBe(false);
  expect(judgeStability({ ...splitHalf, mean: 0.49 }, { ...flips, p: 0.01 }).isStable).toBe(false);
});

interface DataSet {
  readonly differences: Float32Array;
  readonly prompts: readonly string[];
}

/** Differences = strength x a common unit direction + noise of the prompt + noise of the rollout, each N(0, 1) per entry. */
function plant(options: {
  prompts: number;
  rollouts: number;
  dim: number;
  strength: number;
  rng: Rng;
}): DataSet {
  const { dim, strength, rng } = options;
  const rows: number[] = [];
  const prompts: string[] = [];
  for (let p = 0; p < options.prompts; p++) {
    const own = Array.from({ length: dim }, () => rng.normal());
    for (let r = 0; r < options.rollouts; r++) {
      prompts.push(`prompt ${p}`);
      for (let j = 0; j < dim; j++) rows.push(own[j]! + rng.normal() + (j === 0 ? strength : 0));
    }
  }
  return { differences: Float32Array.from(rows), prompts };
}

function diagnose({ differences, prompts }: DataSet, draws = 200): LayerDiagnostics {
  const input = {
    layer: 1,
    differences,
    before: new Float32Array(differences.length),
    beforeNorms: new Float32Array(prompts.length).fill(10),
    pairIds: prompts.map((_, i) => `${i}`),
    prompts: groupKeys(prompts),
    scenarios: groupKeys(prompts),
    weighting: "rollout",
  } as const;
  const direction = meanDifference(differences, new Float64Array(prompts.length).fill(1));
  return diagnoseLayer(input, direction, {
    seed: 0,
    splits: Math.min(draws, 100),
    flips: draws,
    nullDirections: 4,
  }).diagnostics;
}

function measured<T extends { readonly kind: string }>(
  figure: T,
): Extract<T, { kind: "measured" }> {
  expect(figure).toMatchObject({ kind: "measured" });
  return figure as Extract<T, { kind: "measured" }>; // asserted on the line above
}

/** The largest difference of the figures of a measured statistic; NaN where one is missing on either side. */
function figureDeviation(found: object, want: Readonly<Record<string, number>>): number {
  const { kind, ...figures } = found as Record<string, number | string>; // Measured<T>: T holds numbers only
  if (kind !== "measured") return Number.NaN;
  const names = [...new Set([...Object.keys(figures), ...Object.keys(want)])];
  return deviation(
    names.map((name) => Number(figures[name])),
    names.map((name) => want[name] ?? Number.NaN),
  );
}

function deviation(found: ArrayLike<number>, want: readonly number[]): number {
  if (found.length !== want.length) return Number.NaN;
  return Math.max(...want.map((value, i) => Math.abs(found[i]! - value)));
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

function product(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, each, i) => sum + each * b[i]!, 0);
}
