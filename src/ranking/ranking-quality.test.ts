import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

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
    "gives scikit-learn's figures and bootstrap, ties included (case %i)",
    (_, each) => {
      const found = rankingQuality(Float32Array.from(each.scores), each.planted, {
        replicates: 4000,
      });
      const planted = each.planted.filter(Boolean).length;
      expect(found.auroc.value).toBeCloseTo(each.auroc, 12);
      expect(found.averagePrecision.value).toBeCloseTo(each.average_precision, 12);
      expect(found.at[0]).toMatchObject({
        k: planted,
        found: each.found,
        recall: { value: each.found / planted },
        precision: { value: each.found / planted },
      });
      for (const [own, theirs] of [
        [found.auroc, each.bootstrap.auroc],
        [found.averagePrecision, each.bootstrap.average_precision],
      ] as const) {
        const width = theirs[1]! - theirs[0]!;
        expect(Math.abs(own.low - theirs[0]!)).toBeLessThan(0.06 * width + 0.005);
        expect(Math.abs(own.high - theirs[1]!)).toBeLessThan(0.06 * width + 0.005);
      }
    },
  );

  it("gives scikit-learn's area under the ROC curve of small samples, ties included", () => {
    for (const { positives, negatives, auroc } of aurocs.cases) {
      const planted = [...positives.map(() => true), ...negatives.map(() => false)];
      const scores = Float32Array.from([...positives, ...negatives]);
      const found = rankingQuality(scores, planted, { replicates: 10 });
      expect(Math.abs(found.auroc.value - auroc)).toBeLessThan(1e-12);
    }
  });

  it("has intervals that hold the true area of most simulated samples", () => {
    const rng = createRng(3);
    // Two normals one standard deviation apart: P(X > Y) = Φ(1/√2).
    const truth = 0.7602499389;
    const planted = Array.from({ length: 80 }, (_, i) => i < 40);
    let covered = 0;
    for (let seed = 0; seed < 200; seed++) {
      const scores = Float32Array.from(planted, (is) => rng.normal() + Number(is));
      const { low, high } = rankingQuality(scores, planted, { seed, replicates: 200 }).auroc;
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered).toBeGreaterThan(178);
    expect(covered).toBeLessThan(200);
  });

  it("is 1 throughout for a perfect ranking, and counts pairs without a score last", () => {
    const perfect = rankingQuality(Float32Array.from([3, 2, 1, 0]), [true, true, false, false]);
    expect([perfect.auroc.value, perfect.averagePrecision.low, perfect.at[0]!.recall.high]).toEqual(
      [1, 1, 1],
    );
    const scores = Float32Array.from([Number.NaN, 2, 1, Number.NaN]);
    const found = rankingQuality(scores, [true, true, false, false], { ks: [1, 3] });
    expect(found.unscored).toBe(2);
    expect(found.auroc.value).toBe((1 + 1 + 0 + 0.5) / 4);
    expect(found.at.map(({ found: count }) => count)).toEqual([1, 2]);
    expect(found.at[1]!.precision.value).toBeCloseTo(2 / 3, 12);
  });

  it("has intervals that hold the true recall of most samples", () => {
    // Recall at k of an endless sample: planted scores are N(1, 1), others N(0, 1), a tenth is planted.
    let held = 0;
    for (let sample = 0; sample < 100; sample++) {
      const draw = createNormal(sample);
      const planted = Array.from({ length: 600 }, (_, i) => i < 60);
      const scores = Float32Array.from(planted, (is) => draw() + Number(is));
      const { low, high } = rankingQuality(scores, planted, { replicates: 200 }).at[0]!.recall;
      if (low <= 0.329 && 0.329 <= high) held++;
    }
    expect(held).toBeGreaterThan(86);
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

/** A stream of normal numbers by the polar method, apart from util/rng.ts. */
function createNormal(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => {
    for (;;) {
      const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1];
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
    }
  };
}
