/** @file Rankings of the top of another ranking alone: what is scored, what is said of the rest, and what edits make of it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { EDIT } from "../src/edit/edit.ts";
import { RANK_REPORT } from "../src/ranking/ranking-report.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { makeBehavior, makeStore } from "./support/small-behavior.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const FOLDER = suiteFolder();
const at = (name: string): string => join(FOLDER, name);

interface Row {
  readonly id: string;
  readonly score: number | null;
  readonly rank: number;
  readonly percentile: number | null;
  readonly candidate: boolean;
  readonly unscored: string | null;
}

async function rowsOf(path: string): Promise<readonly Row[]> {
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Row);
}

const refusal = (command: string, words: readonly string[]): Promise<string> =>
  runCommand(command, words).catch((error: Error) => error.message);

describe("candidates", () => {
  it("alone are scored, as they are among all; the others are named", async () => {
    const pairs = at("pairs.jsonl");
    await writeFile(pairs, jsonLines(randomPairs(40)));
    const whole = ["--pairs", pairs, "--method", "random", "--seed", "3"];
    const [cheap, all, some] = [at("cheap.parquet"), at("all.jsonl"), at("some.jsonl")];
    await runCommand("rank", ["--pairs", pairs, "--method", "length", "--out", cheap]);
    await runCommand("rank", [...whole, "--out", all]);
    const report = at("some.json");
    const narrow = [...whole, "--candidates", cheap, "--top", "7"];
    const text = await runCommand("rank", [...narrow, "--out", some, "--report", report]);
    expect(text).toMatch(/\n7 of 40 pairs have a score\n/);
    expect(text).toMatch(/\nscored are the 7 pairs that length has at its top: /);
    expect(text).toMatch(/\nwithout a score: 33 not a candidate\n/);
    const { rankings } = await RANK_REPORT.read(report);
    expect(rankings[0]).toMatchObject({
      candidates: { top: 7, method: "length" },
      scored: 7,
      pairs: 40,
      unscored: { "not a candidate": 33 },
    });
    const scoreOf = new Map((await rowsOf(all)).map(({ id, score }) => [id, score]));
    const rows = await rowsOf(some);
    expect(rows.map(({ rank }) => rank)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    for (const [i, row] of rows.entries()) {
      const isScored = i < 7;
      expect(row).toMatchObject({
        candidate: isScored,
        score: isScored ? scoreOf.get(row.id) : null,
        unscored: isScored ? null : "not a candidate",
      });
      expect(row.percentile !== null).toBe(isScored);
    }
  });

  it("leave their place to the others in random controls and in the shares of sources", async () => {
    const pairs = at("sourced.jsonl");
    const rows = randomPairs(60).map((pair, i) => ({ ...pair, source: i < 6 ? "few" : "many" }));
    await writeFile(pairs, jsonLines(rows));
    const cheap = at("by-hand.jsonl");
    const ranked = rows.map(({ id }, i) => ({ id, score: 60 - i }));
    await writeFile(cheap, jsonLines(ranked));
    const [out, report] = [at("six.parquet"), at("six.json")];
    const words = ["--pairs", pairs, "--method", "length", "--candidates", cheap, "--top", "6"];
    await runCommand("rank", [...words, "--out", out, "--report", report, "--tops", "3"]);
    const { rankings } = await RANK_REPORT.read(report);
    const [lifts] = rankings[0]!.lifts;
    expect(lifts!.rows.find(({ group }) => group === "few")).toMatchObject({ inTop: 3, inAll: 6 });
    const plan = at("plan.json");
    const edit = [pairs, "--ranking", out, "--action", "filter", "--top", "5", "--plan", plan];
    await runCommand("edit", [...edit, "--pick", "random-any", "--out", at("edited.jsonl")]);
    const { ids, warnings } = await EDIT.read(plan);
    const candidates = new Set(rows.slice(0, 6).map(({ id }) => id));
    expect(ids.filter((id) => candidates.has(id)).length).toBeLessThan(5);
    expect(warnings.join()).toMatch(/54 of 60 pairs were no candidates and have no score/);
  });

  it("of a method that reads a store keep its scores, without a null of all pairs", async () => {
    const [store, behavior] = [await makeStore(), await makeBehavior("one", [1])];
    const words = [store, "--behavior", behavior];
    const [all, some, cheap] = [at("all-probe.jsonl"), at("probe.jsonl"), at("cheap.jsonl")];
    await runCommand("rank", [store, "--method", "random", "--out", cheap]);
    await runCommand("rank", [...words, "--out", all]);
    const text = await runCommand("rank", [
      ...words,
      "--candidates",
      cheap,
      "--top",
      "5",
      "--out",
      some,
    ]);
    expect(text).toMatch(/verdict: none, there is no null to compare with/);
    const scoreOf = new Map((await rowsOf(all)).map(({ id, score }) => [id, score]));
    const scored = (await rowsOf(some)).filter(({ score }) => score !== null);
    expect(scored).toHaveLength(5);
    for (const { id, score } of scored) expect(score).toBe(scoreOf.get(id));
  });

  it("are refused where they cannot be found, before any work", async () => {
    const pairs = at("few.jsonl");
    await writeFile(pairs, jsonLines(randomPairs(5)));
    const words = ["--pairs", pairs, "--method", "length"];
    expect(await refusal("rank", [...words, "--top", "3"])).toBe(
      "--candidates: expected a ranking beside top, got none",
    );
    const other = at("other.jsonl");
    await writeFile(
      other,
      jsonLines([
        { id: "nobody", score: 2 },
        { id: "pair-1", score: null },
      ]),
    );
    expect(await refusal("rank", [...words, "--candidates", other])).toBe(
      "--top: expected how many of the candidates' top are scored, got none",
    );
    expect(await refusal("rank", [...words, "--candidates", other, "--top", "1"])).toMatch(
      /expected a ranking of the pairs that are scored, got "nobody", which is none of them/,
    );
    expect(await refusal("rank", [...words, "--candidates", other, "--top", "2"])).toMatch(
      /^--top: expected at most 1, the pairs that have a score in .*, got 2$/,
    );
  });
});
