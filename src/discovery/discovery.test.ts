import { describe, expect, it } from "vitest";

import { createRng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import { assignColumns, clusterColumns } from "./cluster-columns.ts";
import { changedPrompts } from "./discover.ts";
import { leanOf, leansOf } from "./lean.ts";
import { multiplyRows, type Rows, rowOf } from "./multiply-rows.ts";
import type { PromptResponses } from "./prompt-responses.ts";
import type { ResponseStates } from "./response-states.ts";
import { sourceEffects } from "./source-effects.ts";
import { clusterTerms } from "./terms.ts";
import { testClusters } from "./test-clusters.ts";
import { directedRows, meanDirection, unitDifferences } from "./unit-rows.ts";
import { createVariationNull, directionWeights, nullP } from "./variation-null.ts";

const rng = createRng(6);
const randomRows = (count: number, width: number): Rows => ({
  count,
  width,
  values: Float32Array.from({ length: count * width }, () => rng.normal()),
});
const zeros = (count: number, width: number): Rows => ({
  count,
  width,
  values: new Float32Array(count * width),
});
/** Rows of length 1. */
const unit = (rows: Rows): Rows => unitDifferences(rows, zeros(rows.count, rows.width), 1);

describe("unitDifferences", () => {
  it("gives the mean over layers of the cosines as inner product", () => {
    const [a, b] = [randomRows(2, 6), randomRows(2, 6)];
    const rows = unitDifferences(a, b, 2);
    const part = (i: number, layer: number): number[] =>
      [0, 1, 2].map((j) => a.values[i * 6 + layer * 3 + j]! - b.values[i * 6 + layer * 3 + j]!);
    const cosine = (x: number[], y: number[]): number =>
      x.reduce((sum, value, j) => sum + value * y[j]!, 0) / norm(x) / norm(y);
    const expected = [0, 1].reduce((sum, l) => sum + cosine(part(0, l), part(1, l)) / 2, 0);
    const found = rowOf(rows, 0).reduce((sum, value, j) => sum + value * rowOf(rows, 1)[j]!, 0);
    expect(found).toBeCloseTo(expected, 6);
  });

  it("has no direction where the difference is rounding", () => {
    const a = randomRows(3, 4);
    const b = { ...a, values: a.values.slice() };
    for (let j = 0; j < 4; j++) b.values[j]! += 1; // the first row
    b.values[4]! *= 1 + 1e-7;
    expect(directedRows(unitDifferences(b, a, 1))).toEqual([0]);
  });
});

describe("changedPrompts", () => {
  it("counts every response of a prompt the same, of an odd number too", () => {
    const prompt = (id: string): PromptResponses => ({
      id,
      scenario: id,
      variant: "base",
      prompt: [],
      before: ["", ""],
      after: ["", "", ""],
    });
    const states: ResponseStates = {
      identity: {} as ResponseStates["identity"], // nothing of it is read here
      layers: [1],
      width: 2,
      prompts: ["a", "b", "c"].map(prompt),
      before: [new Float32Array(6).fill(1), new Float32Array(6).fill(1)],
      // Samples 0 and 2 have the mean [3, 1], sample 1 is [1, 4]: all three have [7/3, 2].
      after: [Float32Array.of(3, 1, 3, 1, 3, 1), Float32Array.of(1, 4, 1, 4, 1, 4)],
      unusable: [],
      truncated: 0,
    };
    const [x, y] = rowOf(changedPrompts(states).whole, 2);
    expect(x! / y!).toBeCloseTo(4 / 3, 6);
  });
});

describe("leanOf", () => {
  it("is the mean cosine of the closest pairs on either side, as in the worked example", () => {
    expect(leanOf(Float32Array.of(0.9, -0.1, 0.2, -0.7), 0.5)).toBeCloseTo(0.1, 6);
  });

  it("leaves out pairs without a cosine, and turns its sign with the direction", () => {
    const cosines = Float32Array.from({ length: 200 }, () => rng.uniform() ** 3 - 0.2);
    const lean = leanOf(cosines, 0.1);
    expect(leanOf(Float32Array.of(...cosines, NaN, NaN), 20 / 202)).toBe(lean);
    expect(
      leanOf(
        cosines.map((cosine) => -cosine),
        0.1,
      ),
    ).toBe(-lean);
  });

  it("is taken of each column", async () => {
    const pairs = unit(randomRows(300, 8));
    const directions = unit(randomRows(3, 8));
    const cosines = await multiplyRows(pairs, directions, { threads: 1 });
    const third = Float32Array.from({ length: 300 }, (_, i) => rowOf(cosines, i)[2]!);
    expect(leansOf(cosines)[0]![2]).toBe(leanOf(third));
  });
});

describe("clusterTerms", () => {
  it("names what one checkpoint says and the other does not", () => {
    const [first, second] = clusterTerms([
      { before: ["no , i can not", "no , never"], after: ["take glass , heat it", "take tin"] },
      { before: ["it is red", "it is blue"], after: ["it is red", "it is blue"] },
    ]);
    expect(first?.more[0]).toBe("take");
    expect(first?.less[0]).toBe("no");
    expect(second).toEqual({ more: [], less: [] });
  });

  it("leaves out what one response alone says", () => {
    const [found] = clusterTerms([{ before: ["a b", "a b"], after: ["a b", "a c"] }]);
    expect(found?.more).not.toContain("c");
  });
});

describe("sourceEffects", () => {
  it("gives the worked example's interval", () => {
    const cosines = { count: 2, width: 2, values: Float32Array.of(0.2, 0.4, 0.2, 0.4) };
    const [found] = sourceEffects(cosines, [0, 1], { groups: ["a", "b"], sources: ["s", "s"] });
    expect(found?.effect).toBeCloseTo(0.3, 6);
    expect(found!.high! - found!.effect).toBeCloseTo(0.1 * 12.7062, 3);
  });

  it("holds the true mean in at least 95% of crossed samples", () => {
    let held = 0;
    const RUNS = 400;
    for (let run = 0; run < RUNS; run++) {
      const prompts = Array.from({ length: 8 }, () => 0.3 * rng.normal());
      const pairs = Array.from({ length: 40 }, () => 0.3 * rng.normal());
      const values = Float32Array.from(
        { length: 320 },
        (_, i) => 0.5 + prompts[i % 8]! + pairs[i >> 3]! + rng.normal(),
      );
      const names = prompts.map((_, i) => `${i}`);
      const [found] = sourceEffects({ count: 40, width: 8, values }, [...prompts.keys()], {
        groups: names,
        sources: pairs.map(() => "s"),
      });
      if (found!.low! <= 0.5 && 0.5 <= found!.high!) held += 1;
    }
    expect(held / RUNS).toBeGreaterThan(0.94);
  });

  it("has no interval for one group of prompts", () => {
    const cosines = { count: 2, width: 2, values: Float32Array.of(0.2, 0.4, 0.2, 0.4) };
    const [found] = sourceEffects(cosines, [0, 1], { groups: ["a", "a"], sources: ["s", "s"] });
    expect(found).toMatchObject({ low: undefined, high: undefined });
  });
});

describe("clusterColumns", () => {
  it("assigns every pair to the centre that is nearest to its profile", async () => {
    const prompts = unit(randomRows(12, 16));
    const pairs = unit(randomRows(80, 16));
    const found = await clusterColumns(prompts, pairs, {
      linkage: "ward",
      maxClusters: 6,
      threads: 1,
    });
    const centres = await multiplyRows(
      pairs,
      {
        count: found.centres.length,
        width: 16,
        values: Float32Array.from(found.centres.flatMap((c) => [...c])),
      },
      { threads: 1 },
    );
    const products = found.centres.map((_, k) =>
      Float32Array.from({ length: 80 }, (__, i) => rowOf(centres, i)[k]!),
    );
    const assigned = assignColumns(products, found.offsets, {
      usable: [...pairs.values.subarray(0, 80).keys()],
      sources: Array.from({ length: 80 }, (_, i) => `s${i % 2}`),
    });
    // The same by distances to the mean profiles themselves.
    const { labels, clusters } = found.clustered;
    const counts = Array.from({ length: clusters }, () => 0);
    const profile = (i: number): Float32Array => rowOf(found.profiles, i);
    const means = counts.map((_, k) => {
      const members = [...labels.keys()].filter((i) => labels[i] === k);
      return Array.from({ length: 12 }, (__, p) =>
        members.reduce((sum, i) => sum + profile(i)[p]! / members.length, 0),
      );
    });
    for (let i = 0; i < 80; i++) {
      const away = means.map((mean) => norm(mean.map((value, p) => value - profile(i)[p]!)));
      counts[away.indexOf(Math.min(...away))]! += 1;
    }
    expect(assigned.map(({ pairs: count }) => count)).toEqual(counts);
    expect(assigned.reduce((sum, { sources }) => sum + (sources["s1"] ?? 0), 0)).toBe(40);
  });
});

describe("the null of own variation", () => {
  it("gives even p-values to directions that are variation themselves", async () => {
    const pairs = unit(randomRows(400, 8));
    const variation = unit(randomRows(200, 8));
    const null_ = await createVariationNull(variation, pairs, {
      rng,
      draws: 200,
      shares: [0.05],
      threads: 1,
    });
    const [leans = new Float64Array()] = (await null_.leans(1)).leans;
    expect(leans).toHaveLength(400);
    const own = unit(randomRows(200, 8));
    const ps = [...leansOf(await multiplyRows(pairs, own, { threads: 1 }), [0.05])[0]!].map(
      (lean) => nullP(lean, leans)!,
    );
    const below = ps.filter((p) => p <= 0.2).length / ps.length;
    expect(below).toBeGreaterThan(0.12);
    expect(below).toBeLessThan(0.28);
    expect(Math.min(...ps)).toBeGreaterThanOrEqual(1 / 401);
  });

  it("draws the same directions however many follow, over the edge of a block", async () => {
    const [pairs, variation] = [unit(randomRows(60, 8)), unit(randomRows(30, 8))];
    const leansOfDraws = async (draws: number): Promise<readonly Float64Array[]> => {
      const options = { rng: createRng(3), draws, shares: [0.1, 1], threads: 1 };
      return (await (await createVariationNull(variation, pairs, options)).leans(4)).leans;
    };
    const [few, many] = [await leansOfDraws(250), await leansOfDraws(600)];
    expect(few).toEqual(many.map((leans) => leans.slice(0, 500)));
    expect(new Set(many[1]).size).toBeGreaterThan(500);
  });

  it("gives the larger of the share of nulls beyond and the normal tail", () => {
    const leans = Float64Array.of(0.1, -0.1, 0.2, -0.2);
    expect(nullP(0.3, leans)).toBeCloseTo(0.2, 12);
    const many = Float64Array.from({ length: 4000 }, (_, i) => leans[i % 4]!);
    // None is beyond, but 1/4001 would claim more than four values can say.
    expect(nullP(0.3, many)).toBeCloseTo(0.0289, 3);
    expect(nullP(0.3, many, [0.25, 0.25, 0.25, 0.25])).toBeCloseTo(0.0653, 3);
  });

  it("weighs independent directions as in the worked example", async () => {
    const [x, y] = [Float32Array.of(1, 0, 0), Float32Array.of(0, 1, 0)];
    const weightsOf = async (...directions: Float32Array[]): Promise<number[]> =>
      [...(await directionWeights(directions, 1))].toSorted((a, b) => b - a);
    const expectClose = (found: number[], expected: number[]): void =>
      expected.forEach((each, i) => expect(found[i]).toBeCloseTo(each, 6));
    expectClose(await weightsOf(x, y), [1 / 2, 1 / 2]);
    expectClose(await weightsOf(x, y, y), [2 / 3, 1 / 3, 0]);
    expectClose(
      await weightsOf(
        y,
        y,
        y.map((value) => -value),
      ),
      [1, 0, 0],
    );
    expect(await weightsOf(Float32Array.of(0, 0, 0))).toEqual([1]);
  });

  it("holds the level of a mean over all pairs where M0 varies in few directions", async () => {
    const [width, ways, RUNS] = [24, 4, 200];
    let [byWeights, byNormal, tested] = [0, 0, 0];
    for (let run = 0; run < RUNS; run++) {
      // The mean of the pairs points anywhere, M0's samples differ in four ways, clusters lie in eight others.
      const pairs = unit(randomRows(1, width));
      const variation = zeros(40, width);
      for (let i = 0; i < 40; i++) {
        for (let j = 0; j < ways; j++) variation.values[i * width + j] = rng.normal();
      }
      const options = { rng, draws: 60, shares: [1], threads: 1 };
      const null_ = await createVariationNull(unit(variation), pairs, options);
      const { leans, weights } = await null_.leans(1);
      const [lean, nulls] = [pairs.values, leans[0]!];
      for (let j = ways; j < ways + 8; j++) {
        tested += 1;
        byWeights += Number(nullP(lean[j]!, nulls, weights)! < 0.02);
        byNormal += Number(nullP(lean[j]!, nulls)! < 0.02);
      }
    }
    expect(byWeights / tested).toBeLessThan(0.028);
    expect(byNormal / tested).toBeGreaterThan(0.04);
  });

  it("is none where M0's own samples hardly differ", async () => {
    const null_ = await createVariationNull(zeros(50, 4), unit(randomRows(30, 4)), {
      rng,
      draws: 10,
      shares: [0.05],
      threads: 1,
    });
    expect(null_.prompts).toBe(0);
    expect(nullP(1, (await null_.leans(5)).leans[0]!)).toBeUndefined();
  });
});

describe("testClusters", () => {
  it("passes a cluster that pairs teach, and not one that they teach as often as its opposite", async () => {
    const width = 16;
    const taught = unit(randomRows(2, width));
    const noisy = (direction: Float32Array, noise: number, sign = 1): number[] =>
      [...direction].map((value) => sign * value + (noise * rng.normal()) / Math.sqrt(width));
    const prompts = (): Rows => ({
      count: 40,
      width,
      values: Float32Array.from({ length: 40 }, (_, p) => p).reduce(
        (values, p) => (values.set(noisy(rowOf(taught, p % 2), 0.5), p * width), values),
        new Float32Array(40 * width),
      ),
    });
    const pairs = new Float32Array(1000 * width);
    for (let d = 0; d < 1000; d++) {
      const isClose = d < 60;
      const sign = d % 4 < 2 || d % 2 === 0 ? 1 : -1;
      const row = isClose
        ? noisy(rowOf(taught, d % 2), 0.3, d % 2 === 0 ? 1 : sign)
        : Array.from({ length: width }, () => rng.normal());
      pairs.set(row, d * width);
    }
    const labels = Int32Array.from({ length: 40 }, (_, p) => p % 2);
    const { tests } = await testClusters(
      {
        changed: { choosing: unit(prompts()), testing: unit(prompts()) },
        rows: { labels, clusters: 2 },
        pairs: unit({ count: 1000, width, values: pairs }),
        variation: unit(randomRows(100, width)),
        rng,
      },
      { minPrompts: 5, draws: 200, leanShare: 0.03, threads: 1 },
    );
    expect(tests[0]).toMatchObject({ agree: true });
    expect(tests[0]?.holm).toBeLessThan(0.01);
    expect(tests[1]?.holm).toBeGreaterThan(0.05);
  });

  it("gives the worked example's p-values", async () => {
    const along = (count: number, place: 0 | 1): Rows => ({
      count,
      width: 2,
      values: Float32Array.from({ length: 2 * count }, (_, i) => Number(i % 2 === place)),
    });
    const { tests } = await testClusters(
      {
        changed: { choosing: along(4, 0), testing: along(4, 0) },
        rows: { labels: Int32Array.of(0, 0, 1, 1), clusters: 2 },
        pairs: along(10, 0),
        variation: along(20, 1),
        rng: createRng(1),
      },
      { minPrompts: 2, draws: 3000, leanShare: 0.5, threads: 1 },
    );
    for (const test of tests) {
      expect(test).toMatchObject({ lean: 1, halves: [1, 1], agree: true });
      expect(test?.p).toBeCloseTo(0.00033, 5);
      expect(test?.holm).toBeCloseTo(0.00067, 5);
    }
  });

  it("holds the mean over all pairs to as many directions as M0 varies in", async () => {
    // All pairs are (3, 1)/√10: where M0 varies they lean by 0.316, to the cluster by 0.949, three times as far.
    const along = (count: number, ...values: number[]): Rows => ({
      count,
      width: 2,
      values: Float32Array.from({ length: 2 * count }, (_, i) => values[i % 2]!),
    });
    const changed = along(4, 1, 0);
    const { tests } = await testClusters(
      {
        changed: { choosing: changed, testing: changed },
        rows: { labels: new Int32Array(4), clusters: 1 },
        pairs: unit(along(10, 3, 1)),
        variation: along(20, 0, 1),
        rng: createRng(1),
      },
      { minPrompts: 2, draws: 3000, leanShare: 0.5, threads: 1 },
    );
    const [closest, all] = tests[0]!.tried;
    expect(closest?.p).toBeCloseTo(0.00135, 5); // a normal variable beyond 3
    expect(all?.p).toBeCloseTo(0.1024, 4); // a Student t variable of one degree of freedom beyond 3
  });

  it("leaves clusters of too few prompts untested", async () => {
    const rows = unit(randomRows(8, 4));
    const { tests } = await testClusters(
      {
        changed: { choosing: rows, testing: rows },
        rows: { labels: Int32Array.of(0, 0, 0, 0, 0, 1, 1, 1), clusters: 2 },
        pairs: unit(randomRows(50, 4)),
        variation: unit(randomRows(40, 4)),
        rng,
      },
      { minPrompts: 4, draws: 20, leanShare: 0.1, threads: 1 },
    );
    expect(tests[0]).toBeDefined();
    expect(tests[1]).toBeUndefined();
    // One test alone needs no adjustment.
    expect(tests[0]?.holm).toBe(tests[0]?.p);
    expect(meanDirection(rows, [0])).toHaveLength(4);
  });
});
