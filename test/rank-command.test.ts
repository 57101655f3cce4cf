import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readBehavior } from "../src/behavior/behavior-file.ts";
import { parseArguments } from "../src/cli/arguments.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";
import type { RankReport } from "../src/ranking/ranking-report.ts";
import { silentProgress } from "../src/util/progress.ts";
import { jsonLines, temporaryFile, temporaryFolder } from "./support/data-files.ts";
import { commandNamed } from "./support/run-command.ts";
import { makeBehavior, makeStore } from "./support/small-behavior.ts";

interface Printed {
  readonly text: string;
  readonly warnings: readonly string[];
}

async function run(...words: string[]): Promise<Printed> {
  let text = "";
  const warnings: string[] = [];
  await commandNamed("rank").run(parseArguments(commandNamed("rank"), words), {
    print: (part) => void (text += part),
    log: () => {},
    warn: (line) => void warnings.push(line),
    progress: () => silentProgress,
    signal: new AbortController().signal,
  });
  return { text, warnings };
}

describe("culprit rank", () => {
  it("takes the layer that was chosen for the behaviour with --layers auto", async () => {
    const store = await makeStore();
    const behavior = await makeBehavior("complies");
    const { head } = await readBehavior(behavior);
    if (head.layerChoice.kind === "none") throw new Error(head.layerChoice.reason);
    const { text } = await run(store, "--behavior", behavior, "--layers", "auto", "--json");
    const { rankings } = JSON.parse(text) as RankReport;
    expect(rankings.map(({ layer }) => layer)).toEqual([head.layerChoice.layer]);
    const zero = await makeBehavior("bag of words", [0]);
    await expect(run(store, "--behavior", zero, "--layers", "auto")).rejects.toThrow(
      'behavior "bag of words": no layer was chosen: only layer 0 was given',
    );
  });

  it("prints both ends, the null, the sources and the confounds, with no control characters", async () => {
    const behavior = await makeBehavior("com\u001bplies");
    const { text } = await run(
      await makeStore(),
      "--behavior",
      behavior,
      "--layers",
      "3",
      "--show",
      "3",
    );
    expect(text).toMatch(/^20 pairs ranked by probe: cos\(v, v_d\)/);
    expect(text).toMatch(/== behavior "com�plies", layer 3/);
    expect(text).toMatch(/\npair-\d+ +source-0 +0\.9\d+ +3\.\d+ +1\n/);
    expect(text).toMatch(/\npair-\d+ +source-1 +-0\.9\d+ +3\.\d+ +20\n/);
    expect(text).toMatch(/64 null directions/);
    expect(text).toMatch(/source in the top 2 of 20 +top +all/);
    expect(text).toMatch(/\nsource-0 +2 +10 +100\.0% +50\.0% +2\.00 +\[/);
    expect(text).toMatch(/\nlength difference +[+-]0\.\d+ +\[/);
    expect(text).not.toContain("\u001b");
  });

  it("does not hold the verdict to an unrelated behaviour of noise, and says so", async () => {
    const [behavior, noise] = [
      await makeBehavior("one"),
      await makeBehavior("noise", [3], undefined, 0),
    ];
    const words = [await makeStore(), "--behavior", behavior, "--layers", "3"];
    const { text, warnings } = await run(...words, "--null-behavior", noise);
    const why = /ot held to "noise": not stable at this layer \(halves .*, below 0\.5\)/;
    expect(text).toMatch(why);
    expect(text).toMatch(/Held to sign flips only\./);
    expect(warnings).toEqual([expect.stringMatching(why)]);
    const other = await run(...words, "--null-behavior", await makeBehavior("two", [3]));
    expect(other.text).toMatch(/Held to sign flips and to "two"\./);
    expect(other.warnings).toEqual([]);
  });

  it("sums up several behaviours and layers in a table, and gives all of it as JSON", async () => {
    const files = [await makeBehavior("one"), await makeBehavior("two", [3])];
    const flags = files.flatMap((file) => ["--behavior", file]);
    const store = await makeStore();
    const { text } = await run(store, ...flags);
    expect(text).toMatch(/behavior +layer +stable +verdict +scored/);
    expect(text.match(/^(one|two) +\d/gm)).toEqual([
      "one           1",
      "one           3",
      "two           3",
    ]);
    const json = await run(store, ...flags, "--json", "--tops", "3,50%", "--null-directions", "0");
    const { rankings: reports } = JSON.parse(json.text) as RankReport;
    expect(reports.map(({ behavior, layer, scored }) => [behavior, layer, scored])).toEqual([
      ["one", 1, 20],
      ["one", 3, 20],
      ["two", 3, 20],
    ]);
    expect(reports[0]!.lifts.map(({ k }) => k)).toEqual([3, 10]);
    expect(reports[0]!.null).toBeUndefined();
  });

  it("names the nearest scenario for a bank and writes the ranking out", async () => {
    const out = join(await temporaryFolder(), "r.jsonl");
    const behavior = await makeBehavior("one", [1]);
    const words = ["--behavior", behavior, "--scorer", "bank-max", "--out", out];
    const { text } = await run(await makeStore(), ...words);
    expect(text).toMatch(/nearest scenario/);
    await expect(run(await makeStore(), "--behavior", behavior, "--out", out)).rejects.toThrow(
      /exists already/,
    );
    const lines = (await readFile(out, "utf8")).trim().split("\n");
    expect(lines).toHaveLength(20);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      rank: 1,
      source: "source-0",
      winner: expect.stringMatching(/^prompt-\d+$/) as string,
    });
  });

  it("shows what the top pairs say, cut and harmless, from the files of the store or those named", async () => {
    const evil = `\u001b[2J\u202e${"harm ".repeat(200)}`;
    const rows = Array.from({ length: 39 }, (_, row) => ({
      id: row % 2 === 0 ? `pair-${row / 2}` : `other-${row}`,
      prompt: `request ${row}\nof two lines`,
      chosen: `chosen ${row} ${evil}`,
      rejected: `rejected ${row}`,
    }));
    const pairs = await temporaryFile("pairs.jsonl", jsonLines(rows));
    const { contentHash, shape } = await openPairs([pairs]);
    const ofPairs = { contentHash, files: [pairs], shape, columns: ["source"] };
    const store = await makeStore({ pairs: ofPairs });
    const words = [store, "--behavior", await makeBehavior("one", [1]), "--show", "3"];
    const { text } = await run(...words);
    expect(text.match(/^ {2}prompt {4}request \d+ of two lines$/gm)).toHaveLength(3);
    const chosen = text.match(/^ {2}chosen.*$/gm)!;
    expect(chosen.map((line) => line.length)).toEqual([93, 93, 93]);
    expect(chosen[0]).toMatch(/^ {2}chosen {4}chosen \d+ �\[2J�harm harm .*…$/);
    expect(text).toMatch(
      /\npair-(\d+) .*\n {2}prompt .*\n {2}chosen .*\n {2}rejected {2}rejected \d+\n/,
    );
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const report = JSON.parse((await run(...words, "--json")).text) as RankReport;
    const { top, bottom } = report.rankings[0]!;
    for (const { id, text: own } of top) {
      expect(own!.rejected.text).toBe(`rejected ${Number(id.slice(5)) * 2}`);
    }
    expect(bottom.map((each) => each.text)).toEqual([undefined, undefined, undefined]);

    const without = await run(...words, "--no-text");
    expect(without.text).toBe(text.replaceAll(/^ {2}(prompt|chosen|rejected) .*\n/gm, ""));
    const copy = await temporaryFile("copy.jsonl", jsonLines(rows));
    await rm(pairs);
    expect((await run(...words)).text).toBe(without.text);
    expect((await run(...words, "--pairs", copy)).text).toBe(text);
    const other = await temporaryFile("other.jsonl", jsonLines(rows.slice(1)));
    await expect(run(...words, "--pairs", other)).rejects.toThrow(
      /--pairs: expected those that .*store is of, got others/,
    );
    await expect(run(...words, "--pairs", copy, "--no-text")).rejects.toThrow(
      "--pairs: expected none beside the method probe, which has no use for it",
    );
  });

  it("warns of an incomplete store, and ranks it only when told to", async () => {
    const [store, behavior] = [await makeStore(), await makeBehavior("one", [1])];
    await rm(join(store, "complete.json"));
    await expect(run(store, "--behavior", behavior)).rejects.toThrow(
      /incomplete, it holds 20 rows/,
    );
    const { warnings } = await run(store, "--behavior", behavior, "--allow-incomplete");
    expect(warnings).toEqual([expect.stringMatching(/incomplete: it holds 20 pairs so far/)]);
  });

  it.each([
    [[], /--behavior: expected one, which the method probe needs, got none/],
    [["--tops", "0"], /--tops: expected numbers of pairs or shares like 300 or 5%, got "0"/],
    [["--tops", "120%"], /got "120%"/],
    [["--by", "nothing"], /"nothing": expected one of the columns kept with the pairs: source/],
    [
      ["--scorer", "magic"],
      /--scorer: expected cosine, projection, centred-cosine or bank-max, got "magic"/,
    ],
    [["--layers", "2"], /layer 2 is not in both: the store has 1, 3/],
    [["--out", "/nowhere/r.csv"], /no such folder for --out/],
    [["--out", "ranking.txt"], /expected a name ending in \.parquet or \.jsonl or \.csv/],
  ])("refuses %j", async (words, message) => {
    const behavior = words.length === 0 ? [] : ["--behavior", await makeBehavior("one")];
    await expect(run(await makeStore(), ...behavior, ...words)).rejects.toThrow(message);
  });

  it("refuses another checkpoint, a repeated name and a file that is no behaviour", async () => {
    const store = await makeStore();
    const other = await makeBehavior("one", [1], "checkpoint-b");
    await expect(run(store, "--behavior", other)).rejects.toThrow(
      /expected the checkpoint of .*store/,
    );
    const twice = [
      "--behavior",
      await makeBehavior("one"),
      "--behavior",
      await makeBehavior("one"),
    ];
    await expect(run(store, ...twice)).rejects.toThrow(
      /expected names of their own, got two called "one"/,
    );
    const path = join(await temporaryFolder(), "x.safetensors");
    await writeFile(path, "not a safetensors file");
    await expect(run(store, "--behavior", path)).rejects.toMatchObject({ name: "FormatError" });
  });
});
