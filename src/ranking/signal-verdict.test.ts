import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import {
  SMALL_CHECKPOINT,
  smallManifest,
  writeSmallStore,
} from "../../test/support/small-store.ts";
import type { ScoredBehavior } from "../attribution/method.ts";
import { probe } from "../attribution/methods/probe.ts";
import { storeRows } from "../attribution/pair-rows.ts";
import { scorePairs } from "../attribution/score-pairs.ts";
import { SCORERS, type Scorer } from "../attribution/scorer.ts";
import { openStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-shard.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { reportRankings } from "./ranking-report.ts";
import { type SignalVerdict, signalVerdict } from "./signal-verdict.ts";

const DIM = 32;
const ROWS = 1500;
const PLANTED = 60;

const WITH_VERDICT = SCORERS.filter((scorer) => scorer !== "bank-max");

interface Setting {
  readonly push: (row: number, rng: Rng) => number;
  /** The same of an unrelated behaviour's direction, the second axis; default: there is none. */
  readonly other?: (row: number, rng: Rng) => number;
  readonly scorer?: Scorer;
  readonly doubt?: string;
  /** Of the unrelated behaviour. */
  readonly otherDoubt?: string;
  readonly seed?: number;
  /** Default ROWS. */
  readonly rows?: number;
}

/** The verdict on a store of noise whose pairs have `push` (in standard deviations) of the behaviour's direction, the first axis. */
async function verdictOf({
  push,
  other,
  scorer = "cosine",
  doubt,
  otherDoubt,
  seed = 1,
  rows = ROWS,
}: Setting): Promise<SignalVerdict | undefined> {
  const rng = createRng(seed);
  const vectors = Float32Array.from({ length: rows * DIM }, (_, i) => {
    const axis = i % DIM;
    const row = Math.floor(i / DIM);
    const along = axis === 0 ? push(row, rng) : axis === 1 ? (other?.(row, rng) ?? 0) : 0;
    return (rng.normal() + along) / scaleOf(axis, other !== undefined);
  });
  const folder = await temporaryFolder();
  const manifest = smallManifest({ dim: DIM, layers: [1], shardRows: 500 });
  await writeSmallStore(folder, manifest, rows, (_, row, i) => vectors[row * DIM + i]!);
  const store = await openStore(folder);
  const pairs = storeRows(await readStoreTable(store));
  const wanted = [behaviorAt(0, "b", rng, doubt)];
  const unrelated = other === undefined ? [] : [behaviorAt(1, "other", rng, otherDoubt)];
  const task = { rows: pairs, store, behavior: { wanted, unrelated } };
  const scores = await scorePairs(probe, task, { scorer, nullDirections: 64 });
  return reportRankings(pairs, scores)[0]!.verdict;
}

/**
 * The first axes hold most of the variance, as in real activations; less so beside an unrelated behaviour, since along the second of few axes
 * scores have a long tail of their own.
 */
function scaleOf(axis: number, isEven: boolean): number {
  return (axis + 1) ** (isEven ? 0.1 : 0.5);
}

/** A behaviour along an axis, with a bank of ten vectors around it. */
function behaviorAt(axis: number, name: string, rng: Rng, doubt?: string): ScoredBehavior {
  const noise = (rows: number): Float32Array =>
    Float32Array.from({ length: rows * DIM }, (_, i) => rng.normal() / Math.sqrt((i % DIM) + 1));
  return {
    name,
    head: {
      doubts: doubt === undefined ? {} : { "1": doubt },
      layerChoice: { kind: "none", reason: "not stable" },
    },
    identity: SMALL_CHECKPOINT,
    dim: DIM,
    layers: [1],
    directions: new Map([[1, Float32Array.from({ length: DIM }, (_, i) => Number(i === axis))]]),
    bank: new Map([[1, noise(10).map((value, i) => 0.3 * value + Number(i % DIM === axis))]]),
    scenarioIds: Array.from({ length: 10 }, (_, i) => `s${i}`),
    nullDirections: new Map([[1, noise(64)]]),
  };
}

describe("the verdict on a synthetic store", () => {
  it.each([1, 2, 3])("is concentrated where a planted tail pushes (seed %i)", async (seed) => {
    const found = await verdictOf({ push: (row) => (row < PLANTED ? 3 : 0), seed });
    expect(found!.kind).toBe("concentrated");
    expect(found!.excessPairs).toBeGreaterThan(0.15 * PLANTED);
    expect(found!.excessPairs).toBeLessThan(1.3 * PLANTED);
  });

  it.each([1, 2, 3])("is diffuse where every pair pushes a little (seed %i)", async (seed) => {
    const found = await verdictOf({ push: (_, rng) => 0.6 + 0.3 * rng.normal(), seed });
    expect(found!.kind).toBe("diffuse");
    expect(found!.meaning).toMatch(/most push a little, or about half push much/);
  });

  it.each([1, 2, 3])("is no signal where none pushes, or as many back (seed %i)", async (seed) => {
    expect((await verdictOf({ push: () => 0, seed }))!.kind).toBe("no signal");
    const spread = await verdictOf({ push: (_, rng) => 2 * rng.normal(), seed });
    expect(spread!.kind).toBe("no signal");
  });

  it("is no signal where all pairs push the other way", async () => {
    const found = await verdictOf({ push: () => -0.6 });
    expect([found!.kind, found!.reason]).toEqual(["no signal", expect.stringMatching(/below/)]);
  });

  it("says of a bulk against the behaviour that it is, and of noise that it is not", async () => {
    expect((await verdictOf({ push: () => -1 }))!.meaning).toMatch(/moves against the behaviour/);
    expect((await verdictOf({ push: () => 0 }))!.meaning).toMatch(/^Nothing here is told/);
  });

  it("is diffuse where half of the pairs push much, and claims no small push of nearly all", async () => {
    const found = await verdictOf({ push: (row) => (row % 2 === 0 ? 6 : 0) });
    expect(found!.kind).toBe("diffuse");
    expect(found!.meaning).toMatch(/or about half push much/);
    expect(found!.meaning).not.toMatch(/none stands out/);
  });

  it("does not say nothing of few pairs, but that it is not known", async () => {
    const found = await verdictOf({ push: () => 0, rows: 60, seed: 2 });
    expect(found!.kind).toBe("no signal");
    expect(found!.meaning).toMatch(/^Of 60 pairs .* not known/);
  });

  it("is no signal where the vector is not stable, whatever the scores", async () => {
    const push = (row: number): number => (row < PLANTED ? 3 : 0);
    const found = await verdictOf({ push, doubt: "halves disagree" });
    expect([found!.kind, found!.reason]).toEqual(["no signal", "halves disagree"]);
  });

  it.each(WITH_VERDICT)(
    "is given on %s: a tail, a shift of all pairs, and noise",
    async (scorer) => {
      const tail = await verdictOf({ push: (row) => (row < PLANTED ? 4 : 0), scorer });
      const all = await verdictOf({ push: (_, rng) => 1 + 0.3 * rng.normal(), scorer });
      const none = await verdictOf({ push: () => 0, scorer });
      expect([tail, all, none].map((found) => found!.kind)).toEqual([
        "concentrated",
        "diffuse",
        "no signal",
      ]);
    },
  );

  it("is none for bank-max, whose maximum takes a spread for a shift, and where there is no null", async () => {
    const push = (row: number): number => (row < PLANTED ? 4 : 0);
    expect(await verdictOf({ push, scorer: "bank-max" })).toBeUndefined();
    const none = { hasVerdict: true, scored: 9 };
    expect(signalVerdict(none)).toBeUndefined();
  });
});

describe("the verdict held to an unrelated behaviour", () => {
  const tail = (row: number): number => (row < PLANTED ? 4 : 0);

  it("stays where that one has nothing at its top", async () => {
    const found = await verdictOf({ push: tail, other: () => 0 });
    expect([found!.kind, found!.heldTo]).toEqual(["concentrated", ["other"]]);
  });

  it("is no signal where the same pairs are at its top", async () => {
    const found = await verdictOf({ push: tail, other: tail });
    expect(found!.kind).toBe("no signal");
    expect(found!.reason).toMatch(/"other" (has|too)|for "other" too/);
    expect(found!.meaning).toMatch(/for an unrelated behaviour/);
    expect(found!.excessPairs).toBe(0);
  });

  it("stays where that one is not stable, whatever is at its top, and says so", async () => {
    const found = await verdictOf({ push: tail, other: tail, otherDoubt: "split-half 0.38" });
    expect([found!.kind, found!.heldTo]).toEqual(["concentrated", []]);
    expect(found!.notHeldTo).toEqual([
      { behavior: "other", reason: "not stable at this layer (split-half 0.38)" },
    ]);
    const all = (): number => 1;
    const shifted = await verdictOf({ push: all, other: all, otherDoubt: "split-half 0.38" });
    expect(shifted!.kind).toBe("diffuse");
  });

  it("is no signal where as many other pairs are at its top", async () => {
    const other = (row: number): number => (row >= ROWS - PLANTED ? 4 : 0);
    const found = await verdictOf({ push: tail, other });
    expect([found!.kind, found!.reason]).toEqual([
      "no signal",
      expect.stringMatching(/"other" has .* in the same tail/),
    ]);
  });

  it("is diffuse only where the other one's scores are not shifted as well", async () => {
    const shifted = (_: number, rng: Rng): number => 0.6 + 0.3 * rng.normal();
    expect((await verdictOf({ push: shifted, other: () => 0 }))!.kind).toBe("diffuse");
    const both = await verdictOf({ push: shifted, other: shifted });
    expect([both!.kind, both!.reason]).toEqual([
      "no signal",
      expect.stringMatching(/shifted as well/),
    ]);
  });
});
