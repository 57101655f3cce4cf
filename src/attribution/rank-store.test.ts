import { open } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import golden from "../../test/golden/ranking/scores.json" with { type: "json" };
import { temporaryFolder } from "../../test/support/data-files.ts";
import {
  SMALL_CHECKPOINT,
  smallManifest,
  writeSmallStore,
} from "../../test/support/small-store.ts";
import { openStore, type VectorStore } from "../store/open-store.ts";
import { createRng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import type { ScoredBehavior } from "./method.ts";
import { rankStore } from "./rank-store.ts";

const DIM = golden.dim;

async function storeOf(
  vectors: ArrayLike<number>,
  settings: { dim?: number; dtype?: "F16" | "F32"; layers?: number[]; shardRows?: number } = {},
): Promise<VectorStore> {
  const { dim = DIM, dtype = "F16", layers = [1], shardRows = 4 } = settings;
  const folder = await temporaryFolder();
  const manifest = smallManifest({ dim, dtype, layers, shardRows });
  const rows = vectors.length / dim;
  await writeSmallStore(folder, manifest, rows, (_, row, i) => vectors[row * dim + i]!);
  return openStore(folder);
}

function behavior(changes: Partial<ScoredBehavior> = {}): ScoredBehavior {
  return {
    name: "b",
    head: { doubts: {}, layerChoice: { kind: "none", reason: "not stable" } },
    identity: SMALL_CHECKPOINT,
    dim: DIM,
    layers: [1],
    directions: new Map([[1, Float32Array.from(golden.direction)]]),
    bank: new Map([[1, Float32Array.from(golden.bank)]]),
    scenarioIds: ["s0", "s1", "s2", "s3"],
    nullDirections: new Map(),
    ...changes,
  };
}

describe("rankStore", () => {
  it.each([
    ["cosine", 1e-6],
    ["projection", 2e-5],
    ["centred-cosine", 1e-6],
    ["bank-max", 1e-6],
  ] as const)("gives NumPy's %s", async (scorer, tolerance) => {
    const rankings = await rankStore(await storeOf(golden.vectors), [behavior()], { scorer });
    const worst = Math.max(
      ...golden[scorer].map((want, row) => Math.abs(want - rankings[0]!.scores[row]!)),
    );
    expect(worst).toBeLessThan(tolerance);
    expect(rankings[0]!.winners && [...rankings[0]!.winners]).toEqual(
      scorer === "bank-max" ? golden.winners : undefined,
    );
  });

  it("agrees with double precision on long vectors, one behaviour or many, F16 or F32", async () => {
    const [dim, rows] = [2048, 30];
    const rng = createRng(1);
    // Halves are exact in both dtypes, so all four results have one reference.
    const vectors = Float32Array.from({ length: rows * dim }, () => rng.integer(65) / 16 - 2);
    const directions = [0, 1, 2].map(() => Float32Array.from({ length: dim }, () => rng.normal()));
    const behaviors = directions.map((direction, i) =>
      behavior({ name: `b${i}`, dim, directions: new Map([[1, direction]]) }),
    );
    for (const dtype of ["F16", "F32"] as const) {
      const store = await storeOf(vectors, { dim, dtype });
      for (const some of [behaviors.slice(0, 1), behaviors]) {
        const rankings = await rankStore(store, some);
        for (const [b, { scores }] of rankings.entries()) {
          for (let row = 0; row < rows; row++) {
            const vector = vectors.subarray(row * dim, (row + 1) * dim);
            let product = 0;
            for (let i = 0; i < dim; i++) product += vector[i]! * directions[b]![i]!;
            const exact = product / norm(vector) / norm(directions[b]!);
            expect(Math.abs(scores[row]! - exact)).toBeLessThan(1e-6);
          }
        }
      }
    }
  });

  it("lets the least negative scenario win where all are negative", async () => {
    const store = await storeOf([1, 0, 0, 1], { dim: 2 });
    const bank = new Map([[1, Float32Array.of(-1, 0.1, -1, -1, 0, 0)]]);
    const one = behavior({ dim: 2, bank, scenarioIds: ["s0", "s1", "empty"] });
    const rankings = await rankStore(store, [one], { scorer: "bank-max" });
    const [{ scores, winners }] = rankings as [(typeof rankings)[0]];
    expect(scores[0]).toBeCloseTo(-Math.SQRT1_2, 6);
    expect(winners![0]).toBe(1);
    // The scenario without a direction does not win with a cosine of 0 either.
    expect(winners![1]).toBe(0);
  });

  it("leaves pairs without a direction unscored and marks short ones", async () => {
    const store = await storeOf([1, 1, 0, 0, 0.01, 0.02, 2, 2, 1, 2], { dim: 2 });
    const one = behavior({ dim: 2, directions: new Map([[1, Float32Array.of(1, 0)]]) });
    for (const scorer of ["cosine", "projection"] as const) {
      const rankings = await rankStore(store, [one], { scorer });
      expect([...rankings[0]!.scores].map(Number.isNaN)).toEqual([
        false,
        true,
        false,
        false,
        false,
      ]);
      expect([...rankings[0]!.vectors.lowNorm.isLow]).toEqual([0, 1, 1, 0, 0]);
      expect(rankings[0]!.vectors.lowNorm).toMatchObject({ count: 2, zero: 1 });
    }
  });

  it("gives many behaviours the scores that each gets alone, in several passes too", async () => {
    const store = await storeOf(golden.vectors, { layers: [1, 3] });
    const rng = createRng(5);
    const draw = (rows: number): Float32Array =>
      Float32Array.from({ length: rows * DIM }, () => rng.normal());
    // 70 x 65 columns are more than one product takes.
    const many = Array.from({ length: 70 }, (_, i) =>
      behavior({
        name: `b${i}`,
        layers: [1, 3],
        directions: new Map([1, 3].map((layer) => [layer, draw(1)])),
        nullDirections: new Map([1, 3].map((layer) => [layer, draw(64)])),
      }),
    );
    const rankings = await rankStore(store, many, { nullDirections: 64 });
    expect(rankings.map(({ layer, behavior: name }) => `${layer} ${name}`)).toEqual(
      [1, 3].flatMap((layer) => many.map(({ name }) => `${layer} ${name}`)),
    );
    for (const index of [0, 69]) {
      const alone = await rankStore(store, [many[index]!], { layers: [3], nullDirections: 0 });
      const together = rankings[70 + index]!;
      const worst = Math.max(
        ...together.scores.map((score, row) => Math.abs(score - alone[0]!.scores[row]!)),
      );
      expect(worst).toBeLessThan(1e-6);
      expect(together.null?.directions).toBe(64);
      expect(alone[0]!.null).toBeUndefined();
    }
  });

  it.each([
    ["checkpoint", { identity: { ...SMALL_CHECKPOINT, checkpointHash: "other" } }, /checkpoint/],
    ["template", { identity: { ...SMALL_CHECKPOINT, templateHash: "raw" } }, /chat template/],
    [
      "boundary",
      { identity: { ...SMALL_CHECKPOINT, boundary: "tokens" as const } },
      /boundary text.*, got boundary tokens/,
    ],
    ["dimension", { dim: DIM + 1 }, /expected 40 dimensions, got 41/],
    ["layer", { layers: [2] }, /the store has 1, the behaviour 2/],
  ])("refuses a behaviour of another %s", async (_, changes, message) => {
    const store = await storeOf(golden.vectors);
    await expect(rankStore(store, [behavior(changes)])).rejects.toMatchObject({
      name: "ConfigError",
      message: expect.stringMatching(message) as string,
    });
  });

  it("refuses a layer that was asked for and is not there", async () => {
    const store = await storeOf(golden.vectors);
    await expect(rankStore(store, [behavior()], { layers: [1, 7] })).rejects.toThrow(
      /layer 7 is not in both/,
    );
  });

  it.each([1, 3])(
    "names the row of a stored vector that is not finite (%i columns)",
    async (count) => {
      const store = await storeOf(
        Array.from({ length: 5 * 32 }, () => 1),
        { dim: 32 },
      );
      const file = await open(join(store.directory, "shard-00001.safetensors"), "r+");
      const { byteOffset } = store.shards[1]!.tensors.get("layer.1")!;
      await file.write(Uint8Array.of(0xff, 0x7e), 0, 2, byteOffset + 6); // a NaN
      await file.close();
      const direction = new Map([[1, new Float32Array(32).fill(1)]]);
      const nulls = new Map([[1, new Float32Array(32 * (count - 1)).fill(0.5)]]);
      const one = behavior({ dim: 32, directions: direction, nullDirections: nulls });
      await expect(rankStore(store, [one])).rejects.toThrow(
        /store row 4: its vector is not finite/,
      );
    },
  );

  it("stops when it is told to", async () => {
    const store = await storeOf(golden.vectors);
    const signal = AbortSignal.abort();
    await expect(rankStore(store, [behavior()], { signal })).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});

describe("the null of rankStore", () => {
  const [dim, rows, nulls] = [64, 3000, 40];

  async function compare(planted: number, scorer: "cosine" | "projection" | "bank-max") {
    const rng = createRng(9);
    const draw = (count: number): Float32Array =>
      Float32Array.from({ length: count * dim }, () => rng.normal());
    const direction = draw(1);
    const vectors = draw(rows);
    // A third of the pairs point along the behaviour.
    for (let row = 0; row < rows; row += 3) {
      for (let i = 0; i < dim; i++) vectors[row * dim + i]! += planted * direction[i]!;
    }
    const store = await storeOf(vectors, { dim, shardRows: 1000 });
    const bank = draw(5).map((value, i) => 0.5 * value + direction[i % dim]!);
    const one = behavior({
      dim,
      directions: new Map([[1, direction]]),
      bank: new Map([[1, bank]]),
      scenarioIds: ["a", "b", "c", "d", "e"],
      nullDirections: new Map([[1, draw(nulls)]]),
    });
    const rankings = await rankStore(store, [one], { scorer });
    return rankings[0]!.null!;
  }

  it.each(["cosine", "projection"] as const)(
    "has tails of the expected size where nothing is planted (%s)",
    async (scorer) => {
      const found = await compare(0, scorer);
      expect(found.directions).toBe(nulls);
      for (const tail of found.tails) {
        expect(Math.abs(tail.excess)).toBeLessThan(0.015);
        expect(tail.nullShares[0]).toBeLessThanOrEqual(tail.share);
        expect(tail.nullShares[1]).toBeGreaterThanOrEqual(tail.share * 0.8);
      }
    },
  );

  it.each(["cosine", "projection", "bank-max"] as const)(
    "shows a planted third in the top tail and not in the bottom one (%s)",
    async (scorer) => {
      const { tails } = await compare(0.8, scorer);
      const [top, bottom] = tails.filter(({ expected }) => expected === 0.01);
      expect(top!.side).toBe("top");
      expect(top!.share).toBeGreaterThan(0.3);
      expect(bottom!.share).toBeLessThan(0.2);
    },
  );

  it("counts every score once in the histogram", async () => {
    const { histogram, quantiles } = await compare(0.8, "cosine");
    const total = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
    expect(total(histogram.real)).toBe(rows);
    expect(total(histogram.null)).toBe(rows * nulls);
    expect(histogram.edges).toHaveLength(histogram.real.length + 1);
    const median = quantiles.find(({ q }) => q === 0.5)!;
    expect(Math.abs(median.null)).toBeLessThan(0.01);
  });
});
