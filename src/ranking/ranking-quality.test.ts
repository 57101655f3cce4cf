import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { coverageOf, SHAPES } from "../../bench/quality-simulation.ts";
import aurocs from "../../test/golden/auroc/auroc.json" with { type: "json" };
import golden from "../../test/golden/quality/quality.json" with { type: "json" };
import { suiteFolder } from "../../test/support/suite-folder.ts";
import { createRng } from "../util/rng.ts";
import { markPlanted, readPlanted } from "./planted.ts";
import { readRankings } from "./ranking-file.ts";
import { rankingQuality } from "./ranking-quality.ts";

const folder = suiteFolder();

describe("rankingQuality", () => {
  it.each(golden.cases.map((each, i) => [i, each] as const))(
    "gives scikit-learn's figures, ties included (case %i)",
    (_, each) => {
      const found = rankingQuality(Float32Array.from(each.scores), each.planted);
      const planted = each.planted.filter(Boolean).length;
      expect(found.auroc.value).toBeCloseTo(each.auroc, 12);
      expect(found.averagePrecision.value).toBeCloseTo(each.average_precision, 12);
      expect(found.at[0]!.k).toBe(planted);
      expect(found.at[0]!.found).toBeCloseTo(each.found, 12);
      expect(found.at[0]!.recall.value).toBeCloseTo(each.found / planted, 12);
      expect(found.at[0]!.precision.value).toBeCloseTo(each.found / planted, 12);
    },
  );

  it("gives scikit-learn's area under the ROC curve of small samples, ties included", () => {
    for (const { positives, negatives, auroc } of aurocs.cases) {
      const planted = [...positives.map(() => true), ...negatives.map(() => false)];
      const scores = Float32Array.from([...positives, ...negatives]);
      const found = rankingQuality(scores, planted);
      expect(Math.abs(found.auroc.value - auroc)).toBeLessThan(1e-12);
    }
  });

  it.each([
    [24, 24, 0.998, "alike"],
    [24, 240, 0.95, "alike"],
    [24, 240, 0.99, "alike"],
    [100, 400, 0.99, "alike"],
    [100, 400, 0.8, "wide"],
  ])(
    "has intervals that hold the truth of most samples: %i planted against %i, area %d, spreads %s",
    (planted, others, auroc, shape) => {
      const design = { planted, others, auroc, spread: SHAPES[shape]! };
      const held = coverageOf(design, 200, createRng(3));
      // Of 200 with 95% each, less than 179 come once in 500 times.
      for (const share of Object.values(held)) expect(share).toBeGreaterThan(178.5 / 200);
    },
  );

  it("has an interval for a perfect ranking, wider the fewer pairs there are", () => {
    const lows = [24, 100].map((planted) => {
      const isPlanted = Array.from({ length: 10 * planted }, (_, i) => i < planted);
      const scores = Float32Array.from(isPlanted, (_, i) => -i);
      const { auroc, averagePrecision, at } = rankingQuality(scores, isPlanted);
      const found = [auroc, averagePrecision, at[0]!.recall];
      expect(found.map(({ value, high }) => [value, high])).toEqual(found.map(() => [1, 1]));
      return found.map(({ low }) => low);
    });
    for (const [i, low] of lows[0]!.entries()) {
      expect(low).toBeGreaterThan(0.8);
      expect(low).toBeLessThan(lows[1]![i]!);
      expect(lows[1]![i]).toBeLessThan(1);
    }
  });

  it("counts equal scores by expectation, whatever their rows", () => {
    const scores = new Float32Array(100).fill(1);
    for (const first of [0, 90]) {
      const isPlanted = Array.from(scores, (_, i) => i >= first && i < first + 10);
      const { auroc, at } = rankingQuality(scores, isPlanted, { ks: [5] });
      expect([auroc.value, at[0]!.recall.value, at[0]!.precision.value]).toEqual([0.5, 0.05, 0.1]);
    }
  });

  it("counts pairs without a score last", () => {
    const scores = Float32Array.from([Number.NaN, 2, 1, Number.NaN]);
    const found = rankingQuality(scores, [true, true, false, false], { ks: [1, 3] });
    expect(found.unscored).toBe(2);
    expect(found.auroc.value).toBe((1 + 1 + 0 + 0.5) / 4);
    expect(found.at.map(({ found: count }) => count)).toEqual([1, 1.5]);
    expect(found.at[1]!.precision.value).toBeCloseTo(1.5 / 3, 12);
  });

  it.each([
    ["nothing planted", [false, false], {}, /got 0 of 2/],
    ["everything planted", [true, true], {}, /got 2 of 2/],
    ["a top larger than the ranking", [true, false], { ks: [3] }, /from 1 to 2 pairs, got 3/],
  ])("refuses %s", (_, planted, options, message) => {
    expect(() => rankingQuality(Float32Array.from([1, 0]), planted, options)).toThrow(message);
  });
});

describe("ranking and planted files", () => {
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it("are split by behaviour and layer", async () => {
    const path = write(
      "ranking.csv",
      "id,behavior,layer,score\na,x,1,0.5\nb,x,1,\na,x,2,0.25\nb,x,2,0.75\n",
    );
    const tables = await readRankings(path);
    expect(tables.map(({ file }) => `${file.behavior} ${file.layer}`)).toEqual(["x 1", "x 2"]);
    expect(tables[0]!.scores).toEqual(Float64Array.from([0.5, Number.NaN]));
    expect(markPlanted(tables[0]!.ids, new Set(["b", "gone"]))).toEqual({
      isPlanted: [false, true],
      absent: 1,
    });
    expect(() => markPlanted(tables[0]!.ids, new Set(["c"]))).toThrow(/none of 1/);
  });

  it("take planted ids from a list or from a column of the pairs", async () => {
    const list = write("planted.jsonl", '{"id": "p1"}\n{"id": 2}\n');
    expect([...(await readPlanted(list))]).toEqual(["p1", "2"]);
    const rows = [true, false, true].map((planted, i) =>
      JSON.stringify({ prompt: `q${i}`, chosen: "yes", rejected: "no", planted, id: `r${i}` }),
    );
    const pairs = write("pairs.jsonl", rows.join("\n"));
    expect([...(await readPlanted(pairs, "planted"))]).toEqual(["r0", "r2"]);
  });

  it("name the row of what is wrong", async () => {
    await expect(readRankings(write("twice.csv", "id,score\na,1\na,2\n"))).rejects.toThrow(
      /row 1: expected every id once, got "a" twice/,
    );
    await expect(readRankings(write("word.csv", "id,score\na,high\n"))).rejects.toThrow(/score/);
    await expect(readPlanted(write("none.jsonl", '{"row": 1}\n'))).rejects.toThrow(/row 0/);
  });
});
