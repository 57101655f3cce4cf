import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import {
  SMALL_CHECKPOINT,
  smallManifest,
  writeSmallStore,
} from "../../test/support/small-store.ts";
import { rankStore } from "../attribution/rank-store.ts";
import { SCORERS, type Scorer } from "../attribution/scorer.ts";
import { openStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-store-table.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { reportRankings } from "./ranking-report.ts";
import { type SignalVerdict, signalVerdict } from "./signal-verdict.ts";

const DIM = 32;
const ROWS = 1500;
const PLANTED = 60;

interface Setting {
  readonly push: (row: number, rng: Rng) => number;
  readonly scorer?: Scorer;
  readonly doubt?: string;
  readonly seed?: number;
}

/** The verdict on a store of noise whose pairs have `push` (in standard deviations) of the behaviour's direction, the first axis. */
async function verdictOf({
  push,
  scorer = "cosine",
  doubt,
  seed = 1,
}: Setting): Promise<SignalVerdict | undefined> {
  const rng = createRng(seed);
  // The first axes hold most of the variance, as in real activations.
  const vectors = Float32Array.from({ length: ROWS * DIM }, (_, i) => {
    const axis = i % DIM;
    const along = axis === 0 ? push(Math.floor(i / DIM), rng) : 0;
    return (rng.normal() + along) / Math.sqrt(axis + 1);
  });
  const folder = await temporaryFolder();
  const manifest = smallManifest({ dim: DIM, layers: [1], shardRows: 500 });
  await writeSmallStore(folder, manifest, ROWS, (_, row, i) => vectors[row * DIM + i]!);
  const store = await openStore(folder);
  const nulls = Float32Array.from(
    { length: 64 * DIM },
    (_, i) => rng.normal() / Math.sqrt((i % DIM) + 1),
  );
  const direction = Float32Array.from({ length: DIM }, (_, i) => Number(i === 0));
  const behavior = {
    name: "b",
    head: {
      doubts: doubt === undefined ? {} : { "1": doubt },
      layerChoice: { kind: "none", reason: "not stable" } as const,
    },
    identity: SMALL_CHECKPOINT,
    dim: DIM,
    layers: [1],
    directions: new Map([[1, direction]]),
    bank: new Map([[1, Float32Array.from([...direction, ...direction])]]),
    scenarioIds: ["s0", "s1"],
    nullDirections: new Map([[1, nulls]]),
  };
  const scores = await rankStore(store, [behavior], { scorer, nullDirections: 64 });
  return reportRankings(await readStoreTable(store), scores)[0]!.verdict;
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
    expect(found!.meaning).toMatch(/hardly more than removing random pairs/);
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

  it("is no signal where the vector is not stable, whatever the scores", async () => {
    const push = (row: number): number => (row < PLANTED ? 3 : 0);
    const found = await verdictOf({ push, doubt: "halves disagree" });
    expect([found!.kind, found!.reason]).toEqual(["no signal", "halves disagree"]);
  });

  it("is also given on projections, and on no scorer that hides a shift", async () => {
    const push = (row: number): number => (row < PLANTED ? 4 : 0);
    const kinds = await Promise.all(
      SCORERS.map(async (scorer) => (await verdictOf({ push, scorer }))?.kind),
    );
    expect(Object.fromEntries(SCORERS.map((scorer, i) => [scorer, kinds[i]]))).toEqual({
      cosine: "concentrated",
      projection: "concentrated",
      "centred-cosine": undefined,
      "bank-max": undefined,
    });
    expect(
      signalVerdict({ scorer: "cosine", doubt: undefined, scored: 9, null: undefined }),
    ).toBeUndefined();
  });
});
