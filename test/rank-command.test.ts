import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readBehavior, writeBehavior } from "../src/behavior/behavior-file.ts";
import { computeBehavior } from "../src/behavior/behavior.ts";
import { parseArguments } from "../src/cli/arguments.ts";
import type { RankReport } from "../src/ranking/ranking-report.ts";
import { silentProgress } from "../src/util/progress.ts";
import { createRng } from "../src/util/rng.ts";
import { temporaryFolder } from "./support/data-files.ts";
import { commandNamed } from "./support/run-command.ts";
import { SMALL_CHECKPOINT, smallManifest, writeSmallStore } from "./support/small-store.ts";

const DIM = 8;

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

/** A store of 20 pairs at layers 1 and 3, half of them along the first axis. */
async function makeStore(): Promise<string> {
  const folder = join(await temporaryFolder(), "store");
  const rng = createRng(2);
  const manifest = smallManifest({ dim: DIM, shardRows: 6 });
  await writeSmallStore(folder, manifest, 20, (_, row, i) =>
    i === 0 ? (row % 2 === 0 ? 3 : -3) : rng.normal() / 4,
  );
  return folder;
}

/** A behaviour along the first axis. */
async function makeBehavior(
  name: string,
  layers = [1, 3],
  checkpointHash?: string,
  strength = 2,
): Promise<string> {
  const rng = createRng(8);
  const names = Array.from({ length: 12 }, (_, i) => `prompt-${i}`);
  const draw = (): Float32Array =>
    Float32Array.from(
      { length: 12 * DIM },
      (_, i) => (i % DIM === 0 ? strength : 0) + rng.normal(),
    );
  const behavior = computeBehavior(
    {
      identity: {
        ...SMALL_CHECKPOINT,
        dim: DIM,
        maxPositions: 64,
        checkpointHash: checkpointHash ?? SMALL_CHECKPOINT.checkpointHash,
      },
      layers,
      differences: new Map(layers.map((layer) => [layer, draw()])),
      before: new Map(layers.map((layer) => [layer, new Float32Array(12 * DIM)])),
      responseTokens: { before: new Int32Array(12).fill(4), after: new Int32Array(12).fill(4) },
      beforeNorms: new Map(layers.map((layer) => [layer, new Float32Array(12).fill(9)])),
      pairIds: names,
      promptKeys: names,
      scenarios: names,
      unusable: [],
      maxTokens: 100,
      truncated: 0,
    },
    { name },
  );
  const path = join(await temporaryFolder(), `${name}.safetensors`);
  await writeBehavior(path, behavior, { files: [], unusable: [] });
  return path;
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
