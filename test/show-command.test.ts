/** @file culprit show: a pair's place, its text, and the scenarios that it is nearest to. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { openPairs } from "../src/index.ts";
import type { RankReport } from "../src/ranking/ranking-report.ts";
import type { ShownPair } from "../src/verbs/show.ts";
import { jsonLines, temporaryFile, temporaryFolder } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";
import { makeBehavior, makeStore } from "./support/small-behavior.ts";

const show = (...words: string[]): Promise<string> => runCommand("show", words);
const showJson = async (...words: string[]): Promise<ShownPair> =>
  JSON.parse(await show(...words, "--json")) as ShownPair;

/** Rows that fit the small store: its pairs are every second row. */
const ROWS = Array.from({ length: 39 }, (_, row) => ({
  id: row % 2 === 0 ? `pair-${row / 2}` : `other-${row}`,
  prompt: `what is ${row}?`,
  chosen: `number ${row}`,
  rejected: "no idea",
  source: `source-${(row / 2) % 2}`,
}));

/** Pair files, a store of them, a behaviour and the ranking by it. */
async function makeRanked(rows: readonly object[] = ROWS): Promise<{
  readonly pairs: string;
  readonly store: string;
  readonly behavior: string;
  readonly ranking: string;
}> {
  const pairs = await temporaryFile("pairs.jsonl", jsonLines(rows));
  const { contentHash, shape } = await openPairs([pairs]);
  const store = await makeStore({
    pairs: { contentHash, files: [pairs], shape, columns: ["source"] },
  });
  const behavior = await makeBehavior("complies");
  const ranking = join(await temporaryFolder(), "ranking.parquet");
  const words = [store, "--behavior", behavior, "--layers", "3", "--out", ranking];
  await runCommand("rank", words);
  return { pairs, store, behavior, ranking };
}

describe("culprit show", () => {
  it("prints place, source and text on one screen", async () => {
    const { ranking, pairs } = await makeRanked();
    const text = await show("pair-4", "--ranking", ranking, "--pairs", pairs);
    expect(text).toMatch(/^pair pair-4, source source-0\n/);
    expect(text).toMatch(/\nprobe +0\.9\d+ +\d+ of 20 +\d+\.\d\d\n/);
    expect(text).toMatch(
      /\nprompt:\n {2}what is 8\?\nchosen:\n {2}number 8\nrejected:\n {2}no idea$/,
    );
    expect(text).not.toContain("nearest");
    expect(text.split("\n").length).toBeLessThan(24);
  });

  it("names the scenarios nearest by cosine: first the one that bank-max scores by, with its score", async () => {
    const { store, behavior, ranking } = await makeRanked();
    const files = ["--ranking", ranking, "--store", store, "--behavior", behavior, "--layer", "3"];
    const ranked = async (scorer: string): Promise<RankReport["rankings"][number]["top"]> => {
      const words = [store, "--behavior", behavior, "--layers", "3", "--show", "20", "--json"];
      const report = await runCommand("rank", [...words, "--scorer", scorer]);
      return (JSON.parse(report) as RankReport).rankings[0]!.top;
    };
    for (const { id, score, winner, norm } of await ranked("bank-max")) {
      const { why } = await showJson(id, ...files, "--scenarios", "12");
      const { scenarios } = why!;
      expect([scenarios[0]!.id, scenarios.length, why!.norm]).toEqual([winner, 12, norm]);
      expect(scenarios[0]!.cosine).toBeCloseTo(score, 5);
      expect(scenarios.map(({ cosine }) => -cosine)).toEqual(
        scenarios.map(({ cosine }) => -cosine).toSorted((a, b) => a - b),
      );
    }
    for (const { id, score } of await ranked("cosine")) {
      expect((await showJson(id, ...files)).why!.cosine).toBeCloseTo(score, 5);
    }
    expect(await show("pair-4", ...files)).toMatch(
      /behavior "complies", layer 3: cosine 0\.9\d+ with its direction, .*\nnearest scenario +cosine\n(prompt-\d+ +0\.\d+\n){5}/,
    );
  });

  it("takes the layer that was chosen for the behaviour where none is named", async () => {
    const { store, behavior, ranking } = await makeRanked();
    const words = ["pair-4", "--ranking", ranking, "--store", store];
    const { why } = await showJson(...words, "--behavior", behavior);
    expect([1, 3]).toContain(why!.layer);
    const one = await makeBehavior("one", [1]);
    expect((await showJson(...words, "--behavior", one)).why!.layer).toBe(1);
    const wrong = show(...words, "--behavior", one, "--layer", "3");
    await expect(wrong).rejects.toThrow(/layer 3 is not in both/);
  });

  it("reads the store's own pair files again while they are the same, and says why it has no text", async () => {
    const { store, ranking, pairs } = await makeRanked();
    const words = ["pair-4", "--ranking", ranking, "--store", store];
    expect((await showJson(...words)).text!.chosen.text).toBe("number 8");
    expect((await showJson(...words, "--no-text")).text).toBeUndefined();
    await writeFile(pairs, jsonLines(ROWS.slice(1)));
    expect((await showJson(...words)).textMissing).toMatch(/they are not what was embedded/);
    await rm(pairs);
    expect(await show(...words)).toMatch(
      /no text: .*they are not where they were: .*seen from this folder.*; --pairs names/,
    );
    expect((await showJson(...words)).source).toBe("source-0");
    const alone = await showJson("pair-4", "--ranking", ranking);
    expect([alone.source, alone.textMissing]).toEqual(["source-0", "no pair files were named"]);
  });

  it("finds the row to which a store's files were read", async () => {
    const path = await temporaryFile("pairs.jsonl", jsonLines([...ROWS, ...ROWS]));
    // The small store has 20 rows and 2 unusable ones.
    const { contentHash, shape } = await openPairs([path], { limit: 22 });
    const files = { contentHash, files: [path], shape, columns: ["source"] };
    const store = await makeStore({ pairs: files });
    const ranking = await temporaryFile("r.csv", "id,score\npair-4,1\n");
    const { text } = await showJson("pair-4", "--ranking", ranking, "--store", store);
    expect(text!.chosen.text).toBe("number 8");
  });

  it("lets no text control the terminal or fill it", async () => {
    const evil = `\u001b[2J\u202e${"harm ".repeat(2000)}${"\n".repeat(500)}end`;
    const rows = ROWS.map((row) => ({
      ...row,
      prompt: evil,
      chosen: `${evil}a`,
      rejected: `${evil}b`,
    }));
    const { ranking, pairs } = await makeRanked(rows);
    const text = await show("pair-4", "--ranking", ranking, "--pairs", pairs);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toMatch(/… \d+ more characters/);
    expect(text.split("\n").length).toBeLessThan(32);
    expect(text.length).toBeLessThan(2000);
    const more = await show("pair-4", "--ranking", ranking, "--pairs", pairs, "--characters", "9");
    expect(more.length).toBeLessThan(500);
  });

  it("has a line for each ranking of a file, and no score where the file holds ranks alone", async () => {
    const rows = ["one,1", "one,3", "two,3"].map(
      (kind, i) => `pair-4,${kind},${i === 1 ? "" : 0.5}`,
    );
    const several = await temporaryFile(
      "r.csv",
      `id,behavior,layer,score\n${rows.join("\n")}\nother,one,3,0.25\n`,
    );
    const { places } = await showJson("pair-4", "--ranking", several);
    expect(places).toEqual([
      { behavior: "one", layer: 1, rank: 1, scored: 1, pairs: 1, score: 0.5, percentile: 0 },
      { behavior: "one", layer: 3, rank: 2, scored: 1, pairs: 2 },
      { behavior: "two", layer: 3, rank: 1, scored: 1, pairs: 1, score: 0.5, percentile: 0 },
    ]);
    expect(await show("pair-4", "--ranking", several)).toMatch(/\none +3 +- +- +-\n/);
    const ranks = await temporaryFile("ranks.csv", "id,rank\na,1\npair-4,2\n");
    const [place] = (await showJson("pair-4", "--ranking", ranks)).places;
    expect(place).toEqual({ rank: 2, scored: 2, pairs: 2, percentile: 0 });
  });

  it("refuses what is not about the same pairs, and a pair that is nowhere", async () => {
    const { store, ranking, behavior } = await makeRanked();
    const other = await temporaryFile("other.jsonl", jsonLines(ROWS.slice(2)));
    const words = ["pair-4", "--ranking", ranking];
    await expect(show(...words, "--pairs", other)).rejects.toThrow(
      /--pairs: expected those that .*ranking\.parquet is of, got others/,
    );
    await expect(show(...words, "--store", await makeStore())).rejects.toThrow(
      /--store: expected the vectors of the pairs that .*ranking\.parquet ranks, got others/,
    );
    await expect(show(...words, "--behavior", behavior)).rejects.toThrow(
      "--behavior: expected a store with it, got none",
    );
    await expect(show("pair-99", "--ranking", ranking)).rejects.toThrow(
      /expected an id of .*ranking\.parquet, got "pair-99"/,
    );
    const csv = await temporaryFile("r.csv", "id,score\nnowhere,1\n");
    await expect(show("nowhere", "--ranking", csv, "--store", store)).rejects.toThrow(
      '--store: expected the pair "nowhere" in it, got none',
    );
    await expect(show("pair-4")).rejects.toThrow("show: --ranking is missing");
  });
});
