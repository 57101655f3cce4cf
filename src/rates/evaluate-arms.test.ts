import { describe, expect, it } from "vitest";

import golden from "../../test/golden/rates/rates.json" with { type: "json" };
import type { Verdict } from "../judge/verdict.ts";
import { clusterBootstrap } from "../stats/cluster-bootstrap.ts";
import type { RateCells } from "../stats/clustered-rate.ts";
import { holm } from "../stats/holm.ts";
import { createRng } from "../util/rng.ts";
import { compareMeasure, summariseMeasure } from "./compare-measures.ts";
import { compareRates } from "./compare-rates.ts";
import { evaluateArms } from "./evaluate-arms.ts";
import type { Arm } from "./evaluation.ts";

const cells = (shows: readonly number[], judged: readonly number[], seeds = 1): RateCells => ({
  seeds,
  prompts: shows.length / seeds,
  shows: Float64Array.from(shows),
  judged: Float64Array.from(judged),
});

const expectNear = (found: number | undefined, want: number | undefined, within = 1e-9): void =>
  expect(Math.abs(found! - want!)).toBeLessThan(within);

describe("compareRates", () => {
  it.each(golden.comparisons.map((each, i) => [i, each] as const))(
    "gives difference, p-value and reduction of the closed forms in NumPy (case %i)",
    (_, each) => {
      const found = compareRates(cells(each.arm, each.judged), cells(each.reference, each.judged))!;
      expectNear(found.difference, each.difference[0]);
      expectNear(found.low, each.difference[1]);
      expectNear(found.high, each.difference[2]);
      expectNear(found.p, each.p, 1e-6);
      expectNear(found.reduction!.value, each.reduction[0]);
      expectNear(found.reduction!.low, each.reduction[1]);
      expectNear(found.reduction!.high, each.reduction[2]);
    },
  );

  it("has a width where an arm shows nothing, and no reduction of a reference that shows nothing", () => {
    const judged = Array<number>(50).fill(10);
    const none = cells(Array<number>(50).fill(0), judged);
    const some = cells(
      Array.from({ length: 50 }, (_, i) => (i % 3 === 0 ? 6 : 1)),
      judged,
    );
    const gone = compareRates(none, some)!;
    expect(gone.reduction!.value).toBe(1);
    expect(gone.reduction!.high).toBe(1);
    expect(gone.reduction!.low).toBeGreaterThan(0.5);
    expect(gone.reduction!.low).toBeLessThan(0.9);
    expect(gone.p).toBeLessThan(1e-3);
    const appeared = compareRates(some, none)!;
    expect(appeared.reduction).toBeUndefined();
    expect(compareRates(none, none)!.p).toBe(1);
  });

  it("uses only prompts that both sides have judged rollouts of", () => {
    const found = compareRates(cells([1, 0, 9], [4, 4, 0]), cells([4, 4, 4], [4, 0, 4]))!;
    expect([found.prompts, found.difference]).toEqual([1, -0.75]);
  });

  it("takes prompts that go together as pairs: the difference is surer than of unrelated prompts", () => {
    const judged = Array<number>(40).fill(10);
    const hard = Array.from({ length: 40 }, (_, i) => i % 10);
    const shifted = hard.map((shows) => shows + 1);
    const paired = compareRates(cells(hard, judged), cells(shifted, judged))!;
    const mixed = compareRates(
      cells(hard, judged),
      cells(createRng(1).shuffle([...shifted]), judged),
    )!;
    expect(paired.high - paired.low).toBeLessThan(0.5 * (mixed.high - mixed.low));
  });
});

describe("clusterBootstrap", () => {
  it.each(golden.comparisons.map((each, i) => [i, each] as const))(
    "has the quantiles of a bootstrap in NumPy (case %i)",
    (_, each) => {
      const [, found] = clusterBootstrap(
        [cells(each.reference, each.judged), cells(each.arm, each.judged)],
        { rng: createRng(3), replicates: 20_000 },
      );
      for (const kind of ["rate", "difference", "reduction"] as const) {
        const [low, high] = each.bootstrap[kind];
        const width = high! - low!;
        expectNear(found![kind]!.low, low, 0.04 * width);
        expectNear(found![kind]!.high, high, 0.04 * width);
      }
    },
  );

  it("resamples seeds: two seeds that disagree make it wide", () => {
    const judged = Array<number>(100).fill(10);
    const apart = cells([...Array<number>(50).fill(1), ...Array<number>(50).fill(9)], judged, 2);
    const [found] = clusterBootstrap([apart], { rng: createRng(1), replicates: 500 });
    expect(found!.rate).toEqual({ low: 0.1, high: 0.9 });
  });
});

describe("holm", () => {
  it.each(golden.holm)("adjusts $ps as the step-down formula does", ({ ps, adjusted }) => {
    holm(ps).forEach((p, i) => expectNear(p, adjusted[i], 1e-15));
  });
});

describe("measures", () => {
  const { x, y, mean, interval, difference, paired, p } = golden.measure;
  const items = (values: readonly number[]): Record<string, number> =>
    Object.fromEntries(values.map((value, i) => [`i${i}`, value]));

  it("of items are SciPy's t interval and paired t test", () => {
    const summary = summariseMeasure([items(x)])!;
    expectNear(summary.mean, mean);
    expectNear(summary.low, interval[0]);
    expectNear(summary.high, interval[1]);
    const found = compareMeasure([items(x)], [items(y)])!;
    expectNear(found.difference, difference);
    expectNear(found.low, paired[0]);
    expectNear(found.high, paired[1]);
    expectNear(found.p, p);
  });

  it("of single numbers have an interval only over seeds", () => {
    expect(summariseMeasure([0.8])).toEqual({
      mean: 0.8,
      low: undefined,
      high: undefined,
      items: 1,
      seeds: 1,
    });
    const two = summariseMeasure([0.7, 0.9])!;
    expectNear(two.high! - two.mean, (12.706204736 * 0.2) / 2, 1e-6); // t with one degree of freedom
    expect(compareMeasure([0.8], [0.7])).toMatchObject({ p: undefined, low: undefined });
  });

  it("keep a width where two arms get every item alike", () => {
    // One of 240 wrong, the same one in both: up to z²/(240 + z²) of all items might have differed, either way.
    const shares = Object.fromEntries(
      Array.from({ length: 240 }, (_, i) => [`i${i}`, i === 0 ? 0 : 1]),
    );
    const found = compareMeasure([shares], [shares])!;
    const z = 1.959963984540054;
    expect(found.difference).toBe(0);
    expect(found.high).toBeCloseTo((z * z) / (240 + z * z), 10);
    expect(found.low).toBe(-found.high!);
    expect(found.p).toBe(1);
  });

  it("compares the items that all runs have", () => {
    const found = compareMeasure([{ a: 1, b: 2, c: 3 }], [{ b: 1, c: 1, d: 5 }])!;
    expect([found.items, found.difference]).toEqual([2, 1.5]);
  });
});

describe("evaluateArms", () => {
  /** Verdicts from shows out of 10 for each prompt; the last prompt's last verdict is missing. */
  const run = (seed: string, shows: readonly number[]): Arm["runs"][number] => ({
    seed,
    verdicts: shows.flatMap((count, p) =>
      Array.from({ length: 10 }, (_, sample): Verdict => {
        const place = {
          rollout: `p${p}/base/${sample}`,
          scenario: `p${p}`,
          variant: "base",
          sample,
        };
        if (p === shows.length - 1 && sample === 9) return { ...place, missing: "empty response" };
        return { ...place, label: sample < count ? "shows" : "not" };
      }),
    ),
    measures: { accuracy: 0.8 },
  });
  const many = (base: number): number[] => Array.from({ length: 30 }, (_, i) => (base + i) % 9);
  const ARMS: Arm[] = [
    { name: "whole", runs: [run("1", many(3)), run("2", many(4))] },
    {
      name: "filter",
      runs: [
        run(
          "1",
          many(3).map((n) => n >> 3),
        ),
        run(
          "2",
          many(4).map((n) => n >> 3),
        ),
      ],
    },
    { name: "random", runs: [run("1", many(3)), run("2", many(5))] },
  ];

  it("compares every arm with the baseline and with the control, missing verdicts in no rate", () => {
    const found = evaluateArms(ARMS, { baseline: "whole", controls: ["random"], replicates: 200 });
    const [whole, filter, random] = found.variants[0]!.arms;
    expect(whole!.toBaseline).toBeUndefined();
    expect([whole!.rate.judged, whole!.missing]).toEqual([598, 2]);
    expect(filter!.toBaseline!.reduction!.value).toBeGreaterThan(0.9);
    expect(filter!.toBaseline!.adjustedP).toBeLessThan(0.01);
    expect(filter!.toControls.map(({ against }) => against)).toEqual(["random"]);
    expect(random!.toControls).toEqual([]);
    expect(random!.toBaseline!.adjustedP).toBeGreaterThan(0.05);
    expect(filter!.bootstrap!.reduction!.low).toBeGreaterThan(0.5);
    expect(found.measures.map(({ summary }) => summary!.mean)).toEqual([0.8, 0.8, 0.8]);
    expect(found.notes).toEqual(["base: 6 verdicts are missing and in no rate."]);
  });

  it("refuses an arm that shares no prompt with the baseline, and says where one variant has none", () => {
    const judgedOn = (name: string, ...places: readonly (readonly [string, string])[]): Arm => ({
      name,
      runs: [
        {
          seed: "1",
          verdicts: places.map(([variant, scenario]) => {
            return {
              rollout: `${scenario}/${variant}`,
              scenario,
              variant,
              sample: 0,
              label: "not",
            };
          }),
        },
      ],
    });
    const whole = judgedOn("whole", ["base", "a"], ["other", "a"]);
    const apart = judgedOn("apart", ["base", "b"], ["other", "b"]);
    expect(() => evaluateArms([whole, apart], { baseline: "whole" })).toThrow(
      /arm "apart": expected judged rollouts of prompts .* got none in common/,
    );
    const half = judgedOn("half", ["base", "b"], ["other", "a"]);
    const { notes } = evaluateArms([whole, half], { baseline: "whole", replicates: 0 });
    expect(notes.filter((note) => note.includes("NOT COMPARED"))).toEqual([
      expect.stringMatching(/^base: half is NOT COMPARED with whole/),
    ]);
  });

  it("is the same for the same seed and says where one seed is all there is", () => {
    const single = ARMS.map(({ name, runs }) => ({ name, runs: runs.slice(0, 1) }));
    const once = evaluateArms(single, { baseline: "whole", replicates: 50 });
    expect(evaluateArms(single, { baseline: "whole", replicates: 50 })).toEqual(once);
    expect(once.notes[0]).toMatch(/one training seed: intervals are over prompts only/);
  });

  it.each([
    [
      "an unknown baseline",
      { baseline: "all" },
      /arm "all": expected one of whole, filter, random/,
    ],
    ["an unknown variant", { baseline: "whole", variants: ["plain"] }, /variant "plain".*base/],
  ])("refuses %s", (_, options, message) => {
    expect(() => evaluateArms(ARMS, options)).toThrow(message);
  });
});
