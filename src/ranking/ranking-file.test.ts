import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { jsonLines, temporaryFile, temporaryFolder } from "../../test/support/data-files.ts";
import { NO_METHOD_COST, usedMethod } from "../../test/support/pair-scores.ts";
import { findLowNorms } from "../attribution/low-norm.ts";
import type { PairScores } from "../attribution/method.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { createRanking, readRanking } from "./ranking-file.ts";
import { writeRankings } from "./write-ranking.ts";

const IDS = ["p0", 'p"1\n', "p,2", "7"];

/** A file as `culprit rank` writes it; behaviours get the scores moved around by one. */
async function writeRanking(
  extension: string,
  kinds: readonly (readonly [behavior: string, layer: number, method?: string])[] = [["b", 1]],
): Promise<string> {
  const path = join(await temporaryFolder(), `r${extension}`);
  const norms = Float32Array.of(1, 1, 0, 1);
  const lowNorm = findLowNorms(norms, { dtype: "F16", dim: 8 });
  const rankings = kinds.map(([behavior, layer, method = "probe"], i): PairScores => ({
    method: usedMethod(method),
    ids: IDS,
    cost: NO_METHOD_COST,
    behavior,
    layer,
    scores: Float32Array.of(0.25, i % 2 === 0 ? 0.5 : -0.5, Number.NaN, 0.1),
    vectors: { norms, lowNorm },
  }));
  const rows = {
    ids: IDS,
    rows: Int32Array.of(0, 1, 2, 3),
    lengths: new Int32Array(12),
    columns: {},
  };
  await writeRankings(path, rows, rankings, "hash-of-pairs");
  return path;
}

describe("readRanking", () => {
  it.each([".parquet", ".jsonl", ".csv"])("reads what rank writes as %s", async (extension) => {
    const ranking = await readRanking(await writeRanking(extension));
    expect(ranking.ids).toEqual(['p"1\n', "p0", "7", "p,2"]);
    expect([...ranking.scores]).toEqual([0.5, 0.25, expect.closeTo(0.1, 6), Number.NaN]);
    expect(ranking.scored).toBe(3);
    expect(ranking.file?.pairsHash).toBe(extension === ".parquet" ? "hash-of-pairs" : undefined);
    expect(ranking.file?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("takes the named one of several, and wants a name", async () => {
    const path = await writeRanking(".parquet", [
      ["one", 1],
      ["two", 1],
      ["one", 2],
    ]);
    await expect(readRanking(path)).rejects.toMatchObject({
      message: expect.stringMatching(/expected one ranking, got 3$/) as string,
      hint: 'Name one of: behavior "one", layer 1; behavior "two", layer 1; behavior "one", layer 2, with --ranking-method, --ranking-behavior and --ranking-layer.',
    });
    await expect(readRanking(path, { behavior: "one" })).rejects.toThrow(ConfigError);
    await expect(readRanking(path, { behavior: "three" })).rejects.toThrow(/got none of that/);
    const two = await readRanking(path, { behavior: "two", layer: 1 });
    expect(two.ids).toEqual(["p0", "7", 'p"1\n', "p,2"]);
    expect(two.file).toMatchObject({ method: "probe", behavior: "two", layer: 1 });
  });

  it("takes the named method of several", async () => {
    const path = await writeRanking(".csv", [
      ["b", 1, "probe"],
      ["b", 1, "length"],
    ]);
    await expect(readRanking(path)).rejects.toMatchObject({
      message: expect.stringMatching(/expected one ranking, got 2$/) as string,
      hint: 'Name one of: method "probe"; method "length", with --ranking-method, --ranking-behavior and --ranking-layer.',
    });
    const found = await readRanking(path, { method: "length" });
    expect([found.file?.method, found.ids[0]]).toEqual(["length", "p0"]);
  });

  const read = async (rows: readonly unknown[]): Promise<unknown> =>
    (await readRanking(await temporaryFile("r.jsonl", jsonLines(rows)))).ids;

  it("orders by rank, or by score with equal scores in the file's order and empty ones last", async () => {
    expect(
      await read([
        { id: "a", rank: 2 },
        { id: "b", rank: 1 },
      ]),
    ).toEqual(["b", "a"]);
    const scores = [null, 1, 2, 1, -Infinity].map((score, i) => ({ id: `${i}`, score }));
    expect(await read(scores)).toEqual(["2", "1", "3", "0", "4"]);
  });

  it.each([
    [
      "an id twice",
      [
        { id: "a", score: 1 },
        { id: "a", score: 2 },
      ],
      /got "a" twice/,
    ],
    [
      "a rank twice",
      [
        { id: "a", rank: 1 },
        { id: "b", rank: 1 },
      ],
      /every rank once, got 1 twice/,
    ],
    ["no id", [{ score: 1 }], /row 0: expected an id/],
    ["neither rank nor score", [{ id: "a" }], /expected a rank or a score/],
    [
      "scores that rise with the rank, as of a reversed sign",
      [
        { id: "a", rank: 1, score: 1 },
        { id: "b", rank: 2, score: 2 },
      ],
      /got a higher one at rank 2/,
    ],
  ])("refuses %s", async (_, rows, message) => {
    await expect(read(rows)).rejects.toThrow(message);
    await expect(read(rows)).rejects.toThrow(FormatError);
  });

  it("refuses broken rows and files that are no ranking", async () => {
    const path = await temporaryFile("r.jsonl", '{"id":"a","score":1}\n{broken\n');
    await expect(readRanking(path)).rejects.toThrow(/row 1: line 2: expected a JSON object/);
    await expect(readRanking(await temporaryFile("r.jsonl", ""))).rejects.toThrow(/got no rows/);
    await expect(readRanking("no-such.parquet")).rejects.toThrow(/no such file/);
  });
});

describe("createRanking", () => {
  it("puts the highest score first and NaN last", () => {
    const ranking = createRanking(["a", "b", "c"], [Number.NaN, 1, 2]);
    expect([ranking.ids, ranking.scored, ranking.file]).toEqual([["c", "b", "a"], 2, undefined]);
  });
});
