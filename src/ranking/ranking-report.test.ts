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
import { openStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-shard.ts";
import {
  type ConfoundData,
  CONFOUNDS,
  type ConfoundTable,
  confoundTable,
  rankConfounds,
} from "./confound-table.ts";
import { reportRankings, type RankingReport, type RankingReportOptions } from "./ranking-report.ts";

/** Ten pairs whose vectors turn away from the behaviour row by row; the last one has length zero. */
async function report(options: RankingReportOptions = {}): Promise<RankingReport> {
  const folder = await temporaryFolder();
  const manifest = smallManifest({ dim: 2, layers: [1] });
  await writeSmallStore(folder, manifest, 10, (_, row, i) => {
    if (row === 9) return 0;
    return i === 0 ? Math.cos(row / 3) : Math.sin(row / 3);
  });
  const store = await openStore(folder);
  const behavior: ScoredBehavior = {
    name: "b",
    head: {
      layerChoice: { kind: "none", reason: "not stable" },
      doubts: { 1: "too few prompts" },
    },
    identity: SMALL_CHECKPOINT,
    dim: 2,
    layers: [1],
    directions: new Map([[1, Float32Array.of(1, 0)]]),
    bank: new Map(),
    scenarioIds: [],
    nullDirections: new Map(),
  };
  const rows = storeRows(await readStoreTable(store));
  const task = { rows, store, behavior: { wanted: [behavior], unrelated: [] } };
  const scores = await scorePairs(probe, task, probe.settings.parse({}));
  return reportRankings(rows, scores, options)[0]!;
}

describe("reportRankings", () => {
  it("carries the doubt about an unstable vector to its ranking", async () => {
    expect((await report()).doubt).toBe("too few prompts");
  });

  it("lists both ends of the ranking without the pairs that have no score", async () => {
    const { top, bottom, pairs, scored, lowNorm } = await report({ show: 2 });
    expect([pairs, scored, lowNorm?.zero]).toEqual([10, 9, 1]);
    expect(top.map(({ id, rank, row }) => [id, rank, row])).toEqual([
      ["pair-0", 1, 0],
      ["pair-1", 2, 2],
    ]);
    expect(bottom.map(({ id, rank, percentile }) => [id, rank, percentile])).toEqual([
      ["pair-7", 8, 100 / 9],
      ["pair-8", 9, 0],
    ]);
    expect(top[0]!.score).toBeCloseTo(1, 5);
    expect(top[0]!.group).toBe("source-0");
  });

  it("takes tops as numbers and as shares, each size once, none above the number of pairs", async () => {
    const { lifts } = await report({
      tops: [{ count: 50 }, { share: 0.5 }, { count: 3 }, { share: 0.3 }],
    });
    expect(lifts.map(({ k }) => k)).toEqual([3, 5, 9]);
    const { by, lifts: usual } = await report();
    expect([by, usual.map(({ k }) => k)]).toEqual(["source", [1]]);
  });

  it("names the columns there are where the one asked for is not among them", async () => {
    await expect(report({ by: "generator" })).rejects.toThrow(
      /"generator": expected one of the columns kept with the pairs: source/,
    );
  });
});

function table(scores: Float32Array, data: ConfoundData): ConfoundTable {
  return confoundTable(scores, rankConfounds(scores, data));
}

describe("confoundTable", () => {
  it("finds what the score follows and leaves unscored pairs out", () => {
    const found = table(Float32Array.of(1, 2, 3, 4, 5, Number.NaN), {
      // Chosen minus rejected rises with the score; the last pair would break the order.
      lengths: Int32Array.from([-4, -2, 0, 2, 4, -18].flatMap((d) => [7, 10 + d / 2, 10 - d / 2])),
      norms: Float32Array.of(5, 4, 3, 2, 1, 9),
    });
    expect(found["vector norm"]?.r).toBe(-1);
    expect(found["length difference"]).toMatchObject({ r: 1, n: 5 });
    expect(found["total length"]).toBeUndefined();
    expect(found["chosen is longer"]!.r).toBeCloseTo(Math.sqrt(3) / 2, 12);
    expect(Object.keys(found)).toEqual([...CONFOUNDS]);
  });

  it("has no value for a confound that never varies", () => {
    const found = table(Float32Array.of(1, 2, 3, 4), {
      lengths: Int32Array.from({ length: 12 }, (_, i) => [5, 10, 8][i % 3]!),
      norms: Float32Array.of(1, 2, 3, 4),
    });
    expect(found["chosen is longer"]).toBeUndefined();
    expect(found["total length"]).toBeUndefined();
    expect(found["vector norm"]?.r).toBe(1);
  });
});
