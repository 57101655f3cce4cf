import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { NO_METHOD_COST, usedMethod } from "../../test/support/pair-scores.ts";
import { findLowNorms } from "../attribution/low-norm.ts";
import type { PairScores } from "../attribution/method.ts";
import type { PairRows } from "../attribution/pair-rows.ts";
import { writeRankings } from "./write-ranking.ts";

const table: PairRows = {
  ids: ["p0", 'p"1', "p,2"],
  rows: Int32Array.of(0, 2, 5),
  lengths: new Int32Array(9),
  columns: {
    source: ["s", null, "t\nu"],
    score: [1, 2.5, null],
    SOURCE: [true, false, null],
    mixed: [1, "x", false],
  },
};
const norms = Float32Array.of(2, 4, 0);
const vectors = { norms, lowNorm: findLowNorms(norms, { dtype: "F16", dim: 8 }) };

function scores(count: 1 | 2, withWinners = false): PairScores[] {
  const one = {
    method: usedMethod("probe"),
    ids: table.ids,
    cost: NO_METHOD_COST,
    layer: 1,
    vectors,
    scores: Float32Array.of(-0.5, 0.25, Number.NaN),
    winners: withWinners ? Int32Array.of(1, 0, -1) : undefined,
    winnerNames: ["x", "y"],
  };
  return ["first", "second"].slice(0, count).map((behavior) => ({ ...one, behavior }));
}

describe("writeRankings", () => {
  it("writes CSV by rank, quoted where needed, empty where there is nothing", async () => {
    const folder = await temporaryFolder();
    await writeRankings(join(folder, "r.csv"), table, scores(1, true));
    const lines = (await readFile(join(folder, "r.csv"), "utf8")).split("\n");
    expect(lines[0]).toBe(
      "id,row,source,pair_score,pair_SOURCE,mixed,method,score,rank,percentile,norm,low_norm,unscored,winner",
    );
    expect(lines[1]).toMatch(/^"p""1",2,,2\.5,false,x,probe,0\.25,1,50\.0,4\.0,false,,x$/);
    expect(lines[2]).toMatch(/^p0,0,s,1\.0,true,1,probe,-0\.5,2,0\.0,2\.0,false,,y$/);
    expect(lines.slice(3).join("\n")).toBe(
      '"p,2",5,"t\nu",,,false,probe,,3,,0.0,true,its vector has length zero,\n',
    );
    expect(await readdir(folder)).toEqual(["r.csv"]);
  });

  it("writes JSON lines with behavior columns where there are several", async () => {
    const path = join(await temporaryFolder(), "r.jsonl");
    await writeRankings(path, table, scores(2));
    const rows = (await readFile(path, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows).toHaveLength(6);
    expect(rows.map(({ behavior, rank, id }) => [behavior, rank, id])).toEqual(
      ["first", "second"].flatMap((name) => [
        [name, 1, 'p"1'],
        [name, 2, "p0"],
        [name, 3, "p,2"],
      ]),
    );
    expect(rows[2]).toMatchObject({ score: null, percentile: null, low_norm: true });
    expect(rows[0]).not.toHaveProperty("layer");
  });

  it("writes Parquet that keeps types and more rows than one chunk", async () => {
    const count = 5000;
    const many: PairRows = {
      ids: Array.from({ length: count }, (_, i) => `p${i}`),
      rows: Int32Array.from({ length: count }, (_, i) => i),
      lengths: new Int32Array(count * 3),
      columns: {},
    };
    const lengths = new Float32Array(count).fill(1);
    const path = join(await temporaryFolder(), "it's.parquet");
    await writeRankings(path, many, [
      {
        ...scores(1)[0]!,
        ids: many.ids,
        vectors: { norms: lengths, lowNorm: findLowNorms(lengths, { dtype: "F16", dim: 8 }) },
        scores: Float32Array.from(many.rows, (i) => i / 8),
      },
    ]);
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const read = await connection.runAndReadAll(
      `SELECT count(*), min(score), max(score), sum(rank), typeof(any_value(score)), first(id) FROM '${path.replace("'", "''")}'`,
    );
    connection.closeSync();
    expect(read.getRows()[0]).toEqual([5000n, 0, 4999 / 8, 12_502_500n, "FLOAT", "p4999"]);
  });

  it("refuses another extension and a folder that is not there", async () => {
    await expect(writeRankings("r.xlsx", table, scores(1))).rejects.toThrow(
      /\.parquet, \.jsonl, \.csv/,
    );
    const path = join(await temporaryFolder(), "missing", "r.csv");
    await expect(writeRankings(path, table, scores(1))).rejects.toThrow(
      /cannot be written \(ENOENT\)/,
    );
  });
});
