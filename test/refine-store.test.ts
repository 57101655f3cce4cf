/** @file The second of two passes over stores whose exact scores and whose errors are known. */
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { ScoredBehavior } from "../src/attribution/method.ts";
import { refineStore } from "../src/attribution/refine-store.ts";
import { openStore, type VectorStore } from "../src/store/open-store.ts";
import { createRng, type Rng } from "../src/util/rng.ts";
import { SMALL_CHECKPOINT, smallManifest, writeSmallStore } from "./support/small-store.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const [PAIRS, TOP, DIM] = [3000, 30, 4];
const folder = suiteFolder();
let stores = 0;

/** A store of these rows, whose projection on the first axis is `scores`. */
async function storeOf(scores: readonly number[], precision?: "W8A8"): Promise<VectorStore> {
  const directory = join(folder, `store-${stores++}`);
  const manifest = smallManifest({
    layers: [1],
    dim: DIM,
    dtype: "F32",
    shardRows: 10_000,
    checkpoint: { ...SMALL_CHECKPOINT, ...(precision === undefined ? {} : { precision }) },
  });
  await writeSmallStore(directory, manifest, scores.length, (_layer, row, axis) =>
    axis === 0 ? scores[row]! : axis === 1 ? 1 : 0,
  );
  return openStore(directory);
}

/** How much of the exact top the top of the mixed store has, and what was said of it. */
async function refine(seed: number, errorOf: (score: number, rng: Rng) => number) {
  const rng = createRng(seed);
  const exact = Array.from({ length: PAIRS }, () => rng.normal());
  const first = exact.map((score) => score - errorOf(score, rng));
  const behavior: ScoredBehavior = {
    name: "first axis",
    head: { doubts: {}, layerChoice: { kind: "none", reason: "not stable" } },
    identity: SMALL_CHECKPOINT,
    dim: DIM,
    layers: [1],
    directions: new Map([[1, Float32Array.of(1, 0, 0, 0)]]),
    bank: new Map([[1, Float32Array.of(1, 0, 0, 0)]]),
    scenarioIds: ["s0"],
    nullDirections: new Map(),
  };
  const found = await refineStore(await storeOf(first, "W8A8"), [behavior], {
    top: () => TOP,
    audit: () => 60,
    recall: 0.99,
    scorer: "projection",
    seed,
    threads: 1,
    read: async (_round, rows) => storeOf(rows.map((row) => exact[row]!)),
  });
  const mixed = first.map((score, row) => (found.exact.has(row) ? exact[row]! : score));
  const topOf = (scores: readonly number[]): readonly number[] =>
    [...scores.keys()].toSorted((a, b) => scores[b]! - scores[a]!).slice(0, TOP);
  const top = new Set(topOf(mixed));
  const recall = topOf(exact).filter((row) => top.has(row)).length / TOP;
  return { recall, said: found.refinement.tops[0]!, read: found.exact.size };
}

describe("refineStore", () => {
  it.each([
    ["as often too high as too low", (_: number, rng: Rng) => 0.05 * rng.normal()],
    ["all too high", () => -0.1],
    ["too high, each by an amount of its own", (_: number, rng: Rng) => -0.2 * rng.uniform()],
    [
      "the larger, the higher the score",
      (s: number, rng: Rng) => 0.05 * s * Math.abs(s) * rng.normal(),
    ],
  ])("holds the exact top where first scores are %s", async (_what, errorOf) => {
    const runs = [];
    for (let seed = 0; seed < 8; seed++) runs.push(await refine(seed, errorOf));
    for (const { recall, said, read } of runs) {
      expect(said.recallLow).toBeGreaterThanOrEqual(0.99);
      expect(read).toBeLessThan(PAIRS);
      // No more than one of thirty, which is what a bound of one in a hundred lets through at times.
      expect(recall).toBeGreaterThanOrEqual(1 - 1 / TOP - 1e-9);
    }
    const whole = runs.filter(({ recall }) => recall === 1).length;
    expect(whole).toBeGreaterThanOrEqual(7);
  });
});
