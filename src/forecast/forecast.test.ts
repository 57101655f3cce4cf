import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { makeBehavior, makeStore } from "../../test/support/small-behavior.ts";
import {
  SMALL_CHECKPOINT,
  smallManifest,
  writeSmallStore,
} from "../../test/support/small-store.ts";
import { openBehavior, readBehavior } from "../behavior/behavior-file.ts";
import { hashPairFiles } from "../pairs/open-pairs.ts";
import { openStore } from "../store/open-store.ts";
import { LAYER_CONVENTION } from "../store/vector-store-manifest.ts";
import { createRng } from "../util/rng.ts";
import { dot, norm } from "../util/vector.ts";
import { forecastHeldOut } from "./combination.ts";
import type { Forecast } from "./forecast-file.ts";
import { makeForecast } from "./make-forecast.ts";
import { shiftOf } from "./measure-margins.ts";
import { singlePairs } from "./pair-clusters.ts";
import { pickBehaviors } from "./pick-behaviors.ts";
import { readPredictors } from "./read-predictors.ts";
import { scoreForecast, type ScoreOptions } from "./score-forecast.ts";
import type { Shifts } from "./shifts-file.ts";
import { openTopics } from "./topic-cells.ts";

describe("readPredictors", () => {
  it("gives the means of the worked example", async () => {
    const folder = join(await temporaryFolder(), "store");
    const manifest = smallManifest({ layers: [1], dtype: "F32" });
    await writeSmallStore(folder, manifest, 2, (_, row, i) => (row === 0 ? [3, 4, 0, 0][i]! : 0));
    const behavior = {
      ...(await readBehavior(await makeBehavior("two", [1]))),
      dim: 4,
      directions: new Map([[1, Float32Array.of(2, 0, 0, 0)]]),
      lengths: new Map([[1, 2]]),
      nullDirections: new Map(),
    };
    const [found] = await readPredictors(
      {
        store: await openStore(folder),
        features: "states",
        layer: 1,
        behaviors: [{ name: "two", read: () => Promise.resolve(behavior) }],
      },
      singlePairs(2).labels,
      { threads: 1 },
    );
    const { projection, cosine, product, share } = found!.values;
    expect([projection?.value, product?.value, share, found!.null]).toEqual([
      1.5,
      3,
      undefined,
      undefined,
    ]);
    expect(cosine!.value).toBeCloseTo(0.3, 6);
  });

  it("holds the mean projection to null directions across the behaviour's own", async () => {
    const store = await openStore(await makeStore({ dtype: "F32" }));
    const path = await makeBehavior("first");
    const [stored] = pickBehaviors([store], [await openBehavior(path)], [3]);
    let projections = new Float32Array();
    const [found] = await readPredictors(stored!, singlePairs(store.rows).labels, {
      threads: 1,
      onProjections: (_, of) => (projections = of.slice()),
    });
    const direction = (await readBehavior(path)).directions.get(3)!;
    const mean = projections.reduce((sum, each) => sum + each, 0) / store.rows;
    expect(found!.values.projection!.value).toBeCloseTo(mean, 5);
    expect(found!.values.product!.value).toBeCloseTo(mean * norm(direction), 5);
    // Ten pairs along the axis and ten against it: the pairs lie nowhere on average, and as many above the null as below.
    expect(found!.values.share!.value).toBeCloseTo(0, 1);
    expect(found!.null!.p).toBeGreaterThan(0.05);
    const sides = projections.filter((each) => Math.abs(each) > 2);
    expect(sides).toHaveLength(store.rows);
  });

  it("holds the vectors of some behaviours at a time, and gives what each alone gives", async () => {
    const store = await openStore(await makeStore({ dtype: "F32" }));
    const one = await readBehavior(await makeBehavior("first"), { layers: [3], bank: false });
    const rng = createRng(4);
    const labels = singlePairs(store.rows).labels;
    let [held, most] = [0, 0];
    const behaviors = Array.from({ length: 40 }, (_, i) => ({
      name: `b-${i}`,
      read: () => {
        most = Math.max(most, ++held);
        const direction = Float32Array.from({ length: one.dim }, () => rng.normal());
        return Promise.resolve({ ...one, name: `b-${i}`, directions: new Map([[3, direction]]) });
      },
    }));
    const stored = { store, features: "states", layer: 3 } as const;
    const heard: string[] = [];
    const found = await readPredictors({ ...stored, behaviors }, labels, {
      threads: 1,
      onProjections: (name) => {
        heard.push(name);
        held--;
      },
    });
    expect(most).toBeLessThan(behaviors.length / 2);
    expect(heard).toEqual(behaviors.map(({ name }) => name));
    const again = createRng(4);
    const alone = behaviors.map(({ name }) => {
      const direction = Float32Array.from({ length: one.dim }, () => again.normal());
      const read = { ...one, name, directions: new Map([[3, direction]]) };
      return { name, read: () => Promise.resolve(read) };
    });
    for (const i of [0, 17, 39]) {
      const [single] = await readPredictors({ ...stored, behaviors: [alone[i]!] }, labels, {
        threads: 1,
      });
      const [ours, theirs] = [found[i]!, single!].map(({ values }) => values.projection!.value);
      expect(ours).toBeCloseTo(theirs!, 5);
      expect(found[i]!.null!.p).toBe(single!.null!.p);
    }
  });
});

describe("topicCells", () => {
  it("gives the worked example, and what halves and spread cannot be told of nothing", () => {
    const topics = openTopics(["a", "a", "c"], singlePairs(3), createRng(3));
    const cells = topics.cellsOf("b", Float32Array.of(1, 3, 7));
    expect(cells[0]).toMatchObject({ topic: "a", pairs: 2, difference: 2 });
    expect(cells[0]!.d).toBeCloseTo(Math.SQRT2, 12);
    expect(cells[0]!.z).toBeCloseTo(2, 12);
    expect(cells[1]).toEqual({ topic: "c", behavior: "b", pairs: 1, difference: 7 });
  });
});

const FILES = ["f".repeat(64)];
const HASH = hashPairFiles({ files: FILES, shape: "trl-standard", limit: undefined });
const COUNT = 24;
const FAMILIES = ["says", "writes", "lists", "warns"];
const noise = createRng(9);
const drawn = Array.from({ length: COUNT }, (_, i) => {
  const [a, b] = [noise.normal(), noise.normal()];
  const name = `${FAMILIES[i % FAMILIES.length]}-${i}`;
  return { name, a, b, shift: 3 * a + 0.5 * noise.normal(), length: noise.normal() };
});

const FORECASTS: Forecast = {
  format: "culprit-forecast",
  version: 1,
  checkpoint: SMALL_CHECKPOINT,
  layerConvention: LAYER_CONVENTION,
  seed: 4,
  pairs: {
    count: 90,
    contentHash: HASH,
    shape: "trl-standard",
    unusable: 10,
    clusters: 90,
    clusteredBy: "pair",
  },
  stores: [{ features: "states", layer: 2 }],
  predictors: ["states.projection", "states.cosine"],
  behaviors: drawn.map(({ name, a, b }) => ({
    name,
    doubts: [],
    values: { "states.projection": { value: a }, "states.cosine": { value: b } },
    nulls: {},
  })),
  topicsLeftOut: 0,
  cells: [],
};

const shiftsOf = (moves: readonly number[]): Shifts => ({
  format: "culprit-shifts",
  version: 1,
  checkpoint: SMALL_CHECKPOINT,
  trained: { name: "dpo", checkpointHash: "m1" },
  training: { startHash: SMALL_CHECKPOINT.checkpointHash, files: FILES, rows: 100 },
  behaviors: moves.map((shift, i) => ({
    name: drawn[i]!.name,
    margin: {
      before: 1,
      after: 1 + shift,
      shift,
      low: shift - 1,
      high: shift + 1,
      items: 8,
      groups: 8,
    },
    tokens: drawn[i]!.length,
    unusable: 0,
  })),
});
const MOVES = drawn.map(({ shift }) => shift);
const OPTIONS: ScoreOptions = { holdout: "leave-one-out", lambda: 1, replicates: 100 };

describe("forecastHeldOut", () => {
  it("gives the worked example, and 0 with the spread of the shifts where nothing goes in", () => {
    const behaviors = [1, -1, 2].map((x) => ({ x }));
    const how = { folds: [{ asked: 2, known: [0, 1] }], lambda: 2 };
    const recipe = { name: "x", kind: "predictor", inputs: ["x"] } as const;
    const [found] = forecastHeldOut(recipe, behaviors, [3, -1, 0], how);
    expect(found!.value).toBeCloseTo(2, 12);
    expect(found!.high - 2).toBeCloseTo(0.95 * (8 / 3), 12);
    expect(2 - found!.low).toBeCloseTo(0.95 * (8 / 3), 12);
    const [none] = forecastHeldOut({ ...recipe, inputs: [] }, behaviors, [3, -1, 0], how);
    expect(none!.value).toBe(0);
    expect(none!.high).toBeCloseTo(2.9, 12);
  });

  it("is as unsure as forecasts of other families are, where families are held out", () => {
    // Within a family one shift is like the other; from one family to the next the sign turns.
    const behaviors = [1, 1, 1, 1, 1].map((x) => ({ x }));
    const shifts = [3, 3, -3, -3, 0];
    const recipe = { name: "x", kind: "predictor", inputs: ["x"] } as const;
    const held = (families?: readonly string[]) => {
      const folds = [{ asked: 4, known: [0, 1, 2, 3], families }];
      return forecastHeldOut(recipe, behaviors, shifts, { folds, lambda: 1e-9 })[0]!;
    };
    expect(held().high).toBeCloseTo(4, 6);
    expect(held(["a", "a", "b", "b"]).high).toBeCloseTo(6, 6);
  });
});

describe("scoreForecast", () => {
  it("finds what was planted on behaviours that are held out, and nothing by baselines", () => {
    const found = scoreForecast(FORECASTS, shiftsOf(MOVES), OPTIONS);
    const by = (name: string) => found.forecasts.find((each) => each.name === name)!;
    expect(by("combination").r2!.value).toBeGreaterThan(0.9);
    expect(by("states.projection").r2!.value).toBeGreaterThan(0.9);
    expect(by("states.cosine").r2!.value).toBeLessThan(0.3);
    expect(by("length").r2!.value).toBeLessThan(0.3);
    expect(by("no-change").signs.count).toBe(0);
    expect(by("no-change").slope).toBeUndefined();
    // Noise of half a unit around 3a: the intervals are of that width, and hold most of what came.
    const { predicted } = found.behaviors[0]!;
    const { low, high } = predicted!["combination"]!;
    expect(high - low).toBeGreaterThan(1);
    expect(high - low).toBeLessThan(4);
    expect(by("combination").covered.count).toBeGreaterThan(COUNT - 4);
    const [advantage] = found.advantages;
    expect(advantage).toMatchObject({ over: "no-change" });
    expect(advantage!.low).toBeGreaterThan(0.5);
    expect(found.calibration.models[0]!.inputs).toEqual(FORECASTS.predictors);
  });

  it.each(["leave-one-out", "leave-family-out", "split"] as const)(
    "does not let a behaviour's own shift into its forecast (%s)",
    (holdout) => {
      const options = { ...OPTIONS, holdout };
      const usual = scoreForecast(FORECASTS, shiftsOf(MOVES), options);
      const held = usual.behaviors.filter(({ predicted }) => predicted !== undefined);
      expect(held).toHaveLength(holdout === "split" ? COUNT / 2 : COUNT);
      const [{ name }] = held as [(typeof held)[number]];
      const changed = MOVES.map((shift, i) => (drawn[i]!.name === name ? shift + 50 : shift));
      const again = scoreForecast(FORECASTS, shiftsOf(changed), options);
      const of = (score: typeof usual, which: string) =>
        score.behaviors.find((each) => each.name === which)!.predicted!["combination"]!.value;
      expect(of(again, name)).toBe(of(usual, name));
      const family = name.split("-")[0]!;
      const others = held.filter((each) => each.name !== name && each.name.startsWith(family));
      const moved = others.map((each) => of(again, each.name) !== of(usual, each.name));
      expect(moved.every((isMoved) => isMoved === (holdout === "leave-one-out"))).toBe(true);
    },
  );

  it("says so where all shifts are the same, and marks what did not move", () => {
    const found = scoreForecast(FORECASTS, shiftsOf(MOVES.map(() => 0)), OPTIONS);
    expect(found.noR2).toContain("no variance");
    expect(found.forecasts[0]!.r2).toBeUndefined();
    expect(found.advantages).toEqual([]);
    expect(found.behaviors.every(({ moved, hit }) => !moved && hit === false)).toBe(true);
  });

  it("names behaviours that are in one of the two alone", () => {
    const shifts = shiftsOf(MOVES);
    const [first, ...others] = shifts.behaviors;
    const behaviors = [{ ...first!, name: "unheard-of" }, ...others];
    const found = scoreForecast(FORECASTS, { ...shifts, behaviors }, OPTIONS);
    expect(found).toMatchObject({ unobserved: [drawn[0]!.name], unforecast: ["unheard-of"] });
    expect(found.behaviors).toHaveLength(COUNT - 1);
  });

  const change = (changes: Partial<Shifts>): Shifts => ({ ...shiftsOf(MOVES), ...changes });
  const { training } = shiftsOf(MOVES);
  it.each([
    [
      "too few behaviours",
      shiftsOf(MOVES.slice(0, 5)),
      /expected 5 behaviours to calibrate by, got 4/,
    ],
    [
      "another checkpoint",
      change({ checkpoint: { ...SMALL_CHECKPOINT, tokenizerHash: "x" } }),
      /the tokenizer of the forecast/,
    ],
    [
      "another start",
      change({ training: { ...training!, startHash: "x" } }),
      /from another checkpoint/,
    ],
    ["other files", change({ training: { ...training!, files: ["x"] } }), /on other data/],
    ["other rows", change({ training: { ...training!, rows: 99 } }), /on other data/],
  ])("refuses %s", (_, shifts, message) => {
    expect(() => scoreForecast(FORECASTS, shifts, OPTIONS)).toThrow(message);
  });

  it("refuses a measure that nobody took", () => {
    const options = { ...OPTIONS, measure: "projection" } as const;
    expect(() => scoreForecast(FORECASTS, shiftsOf(MOVES), options)).toThrow(/got projection/);
  });

  it("takes a calibration that was there before as it is", async () => {
    const { calibration } = scoreForecast(FORECASTS, shiftsOf(MOVES), OPTIONS);
    const found = scoreForecast(
      { ...FORECASTS, calibration },
      shiftsOf(MOVES.slice(0, 3)),
      OPTIONS,
    );
    expect(found).toMatchObject({ holdout: "given", heldOut: 3 });
    const [model] = calibration.models;
    const [{ a, b }] = drawn as [(typeof drawn)[number]];
    const own = found.behaviors.find(({ name }) => name === drawn[0]!.name)!;
    const { value, low, high } = own.predicted!["combination"]!;
    expect(value).toBeCloseTo(dot(model!.weights, [a, b]), 12);
    expect([value - low, high - value]).toEqual([
      expect.closeTo(model!.reach, 12),
      expect.closeTo(model!.reach, 12),
    ]);
    const stores = pickBehaviors(
      [await openStore(await makeStore())],
      [await openBehavior(await makeBehavior("first"))],
      [3],
    );
    const foreign = {
      ...calibration,
      models: [{ ...model!, inputs: ["influence.product"], weights: [1] }],
    };
    await expect(
      makeForecast(stores, { calibration: foreign, seed: 0, threads: 1 }),
    ).rejects.toThrow(/expected the predictors influence.product/);
  });
});

describe("shiftOf", () => {
  it("counts items of one group as one", () => {
    expect(shiftOf([1, 3, 5], ["a", "a", "b"])).toMatchObject({ shift: 3, items: 3, groups: 2 });
  });
});
