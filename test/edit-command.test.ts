import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { applyEdit } from "../src/edit/apply-edit.ts";
import { headLine } from "../src/edit/decisions.ts";
import type { EditManifest } from "../src/edit/edit-manifest.ts";
import { EDIT } from "../src/edit/edit.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = suiteFolder();
const PAIRS = join(ROOT, "pairs.jsonl");
const RANKING = join(ROOT, "ranking.jsonl");
/** 60 pairs; those of "north" have the highest scores, with one pair in five elsewhere. */
const ROWS = randomPairs(60).map((row, i) => ({
  ...row,
  chosen_model: i % 2 === 0 ? "x" : "y, z",
  rejected_model: "w",
}));
const NORTH = ROWS.filter(({ source }) => source === "north").map(({ id }) => id);

beforeAll(async () => {
  await writeFile(PAIRS, jsonLines(ROWS));
  const scores = ROWS.map(({ id, source }, i) => ({ id, score: source === "north" ? 5 : -i }));
  await writeFile(RANKING, jsonLines(scores));
});

const edit = (...words: string[]): Promise<string> =>
  runCommand("edit", [PAIRS, "--ranking", RANKING, ...words]);

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("culprit edit", () => {
  it("filters the top k into a file like the data, and prints what went from which source", async () => {
    const out = join(ROOT, "filtered.jsonl");
    const text = await edit("--action", "filter", "--top", "5", "--out", out);
    expect(await rowsOf(out)).toEqual(ROWS.filter(({ id }) => !NORTH.slice(0, 5).includes(id)));
    expect(text).toMatch(/^filter: 5 of 60 pairs removed, the top 5\n/);
    expect(text).toContain(`${NORTH.length} pairs share the last score; 5 are in by the order`);
    expect(text).toMatch(new RegExp(`\nsource +pairs +removed +share\nnorth +${NORTH.length} +5 `));
    expect(text).toContain(`written and checked: ${out}`);
    await expect(edit("--action", "filter", "--top", "5", "--out", out)).rejects.toThrow(
      /exists already/,
    );
  });

  it("says which columns repeat a side and so keep the old one where the sides are swapped", async () => {
    const turn = (content: string): object[] => [
      { role: "user", content: "q" },
      { role: "assistant", content },
    ];
    const [pairs, ranking] = [join(ROOT, "ultra.jsonl"), join(ROOT, "ultra-ranking.jsonl")];
    const rows = ["a", "b"].map((id) => {
      const chosen = turn(`yes ${id}`);
      return { id, prompt: "q", chosen, rejected: turn("no"), messages: chosen };
    });
    await writeFile(pairs, jsonLines(rows));
    await writeFile(ranking, jsonLines(rows.map(({ id }, i) => ({ id, score: -i }))));
    const warnedBy = async (action: string): Promise<string> => {
      const warned: string[] = [];
      const out = join(ROOT, `ultra-${action}.jsonl`);
      const words = [pairs, "--ranking", ranking, "--action", action, "--top", "1", "--out", out];
      await runCommand("edit", words, (line) => void warned.push(line));
      return warned.join("\n");
    };
    expect(await warnedBy("swap")).toMatch(
      /^column "messages" repeats a side in 2 pairs and a swap/,
    );
    expect(await warnedBy("filter")).toBe("");
  });

  it("takes the bottom instead of the top, and leaves one tenth alone", async () => {
    const out = join(ROOT, "bottom.jsonl");
    const lowest = ROWS.filter(({ source }) => source !== "north").slice(-3);
    const dropped = new Set(lowest.map(({ id }) => id));
    const text = await edit("--action", "filter", "--top", "3", "--pick", "bottom", "--out", out);
    expect(text).toMatch(/^filter: 3 of 60 pairs removed, the bottom 3\n/);
    expect(await rowsOf(out)).toEqual(ROWS.filter(({ id }) => !dropped.has(id)));

    const tenth = join(ROOT, "tenth.jsonl");
    const told = await edit("--action", "tenth", "--tenth", "10", "--out", tenth);
    expect(told).toMatch(/^tenth: 54 of 60 pairs removed, all but tenth 10 of 10 of the ranking\n/);
    const left = await rowsOf(tenth);
    expect(left).toHaveLength(6);
    expect(lowest.every(({ id }) => left.some((row) => row["id"] === id))).toBe(true);
  });

  it.each([
    [["--action", "tenth"], /tenth: expected which tenth is left, 1 to 10, got none/],
    [["--action", "tenth", "--tenth", "11"], /tenth.*expected a number from 1 to 10/],
    [["--action", "tenth", "--tenth", "1", "--top", "3"], /top: expected none beside tenth/],
    [["--action", "filter", "--top", "3", "--tenth", "1"], /tenth.*filter/],
    [["--action", "drop-source", "--top", "3", "--pick", "bottom"], /pick: expected bottom with/],
    [["--action", "filter", "--top", "3", "--pick", "bottom", "--seed", "1"], /got bottom/],
  ])("refuses %j", async (words, expected) => {
    await expect(edit(...words)).rejects.toThrow(expected);
  });

  it("swaps at several k, each into a folder of its own, with a control of the same mix", async () => {
    const out = join(ROOT, "swaps");
    const words = ["--action", "swap", "--top", "3,4", "--out", out, "--json"];
    const edits = JSON.parse(await edit(...words)) as { written: { manifest: EditManifest } }[];
    expect(
      edits.map(({ written: { manifest } }) => [
        manifest.top,
        manifest.rows.edited,
        manifest.rows.left,
      ]),
    ).toEqual([
      [3, 3, 60],
      [4, 4, 60],
    ]);
    await edit(...words.slice(0, -1), "--pick", "random", "--seed", "7");
    expect((await readdir(out)).toSorted()).toEqual(
      ["random-swap-3", "random-swap-4", "swap-3", "swap-4"].flatMap((name) => [
        name,
        `${name}.ids.jsonl`,
        `${name}.manifest.json`,
      ]),
    );
    const changed = (await rowsOf(join(out, "random-swap-4", "pairs.jsonl"))).filter(
      ({ rejected_model: model }) => model !== "w",
    );
    expect(changed).toHaveLength(4);
    for (const { source, chosen_model: model } of changed) {
      expect([source, model]).toEqual(["north", "w"]);
    }
  });

  it("drops sources by lift or by name, of any column, and prints the lift", async () => {
    const words = ["--action", "drop-source", "--out"];
    const text = await edit(...words, join(ROOT, "auto.jsonl"), "--top", "15");
    expect(text).toMatch(/sources dropped:\n {2}north {2}lift \d\.\d\d \[\d\.\d\d, \d\.\d\d\]\n/);
    expect(await rowsOf(join(ROOT, "auto.jsonl"))).toHaveLength(60 - NORTH.length);
    const named = join(ROOT, "named.jsonl");
    await edit(...words, named, "--by", "chosen_model", "--sources", "y, z");
    expect((await rowsOf(named)).map(({ chosen_model: model }) => model)).toEqual(
      Array.from({ length: 30 }, () => "x"),
    );
    await expect(
      edit(...words, join(ROOT, "x.jsonl"), "--by", "chosen_model", "--top", "9"),
    ).rejects.toThrow(/expected sources over-represented in the top 9, got none/);
  });

  it("gives the ids alone, as text, JSON lines or a plan, and without a ranking for pairs of any source", async () => {
    const text = join(ROOT, "ids.txt");
    await edit("--action", "swap", "--top", "2", "--ids", text);
    expect(await readFile(text, "utf8")).toBe(`${NORTH.slice(0, 2).join("\n")}\n`);
    const out = join(ROOT, "ids.jsonl");
    await edit("--action", "swap", "--top", "2", "--ids", out);
    expect(await rowsOf(out)).toEqual(NORTH.slice(0, 2).map((id) => ({ id })));
    const path = join(ROOT, "plan.json");
    const random = ["--action", "filter", "--top", "60", "--pick", "random-any", "--plan", path];
    await expect(runCommand("edit", [PAIRS, ...random])).rejects.toThrow(/takes all 60/);
    random[3] = "59";
    await runCommand("edit", [PAIRS, ...random]);
    const plan = await EDIT.read(path);
    expect([plan.pick, plan.seed, plan.ids.length]).toEqual(["random-any", 0, 59]);
  });

  it.each([
    [[], /--action: expected filter, swap, drop-source, tenth, or decisions/],
    [["--action", "drop"], /--action: expected filter, swap, drop-source or tenth, got "drop"/],
    [["--action", "filter"], /--top: expected a number of pairs, got none/],
    [["--action", "filter", "--top", "5%"], /--top: expected numbers of pairs/],
    [["--action", "filter", "--top", "99", "--out", "OUT/x.jsonl"], /a top from 1 to 60/],
    [
      ["--action", "filter", "--top", "5", "--sources", "a"],
      /--sources: expected action drop-source with it/,
    ],
    [["--action", "filter", "--top", "5", "--seed", "1"], /--seed: expected a random pick with it/],
    [["--action", "drop-source", "--sources", "a", "--top", "5"], /expected none beside named/],
    [["--action", "drop-source", "--sources", "a", "--out", "OUT/x.jsonl"], /got "a"/],
    [["--action", "filter", "--top", "5", "--by", "zz", "--out", "OUT/x"], /a column "zz"/],
    [["--action", "filter", "--top", "5", "--out", "OUT/x.csv"], /a name ending in \.jsonl/],
    [["--action", "filter", "--top", "5", "--out", "OUT/no/x.jsonl"], /no such folder/],
    [["--action", "filter", "--top", "5,6", "--out", "OUT/no/x"], /no such folder/],
    [
      ["--action", "filter", "--top", "5,6", "--ids", "OUT/x.txt"],
      /--ids: expected one top, got 2/,
    ],
    [["--action", "filter", "--top", "5", "--ids", "x.csv"], /\.txt or \.jsonl/],
    [
      ["--action", "filter", "--top", "5", "--ranking-layer", "x", "--out", "OUT/x"],
      /--ranking-layer: expected/,
    ],
  ])("refuses %j", async (words, message) => {
    await mkdir(join(ROOT, "refused"), { recursive: true });
    const inPlace = words.map((word) => word.replace("OUT", join(ROOT, "refused")));
    await expect(edit(...inPlace)).rejects.toMatchObject({
      name: "ConfigError",
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(join(ROOT, "refused"))).toEqual([]);
  });

  describe("by decisions", () => {
    const decide = async (
      name: string,
      decisions: readonly (readonly [string, string])[],
      hash?: string,
    ): Promise<string> => {
      const path = join(ROOT, name);
      const { contentHash } = await openPairs([PAIRS]);
      const lines = decisions.map(([id, decision]) => ({ id, decision, note: "", at: "2026" }));
      await writeFile(path, headLine(hash ?? contentHash) + jsonLines(lines));
      return path;
    };
    const byDecisions = (...words: string[]): Promise<string> =>
      runCommand("edit", [PAIRS, ...words]);

    it("drops and swaps what people said, and prints the precision of a ranking by it", async () => {
      const top = NORTH.slice(0, 10);
      const decisions = await decide("decisions.jsonl", [
        ...top.slice(0, 4).map((id) => [id, "drop"] as const),
        ...top.slice(4, 6).map((id) => [id, "swap"] as const),
        ...top.slice(6, 9).map((id) => [id, "keep"] as const),
        [top[9]!, "unsure"],
      ]);
      const out = join(ROOT, "reviewed.jsonl");
      const plan = join(ROOT, "reviewed.json");
      const words = ["--decisions", decisions, "--ranking", RANKING, "--out", out, "--plan", plan];
      const text = await byDecisions(...words);
      expect(text).toMatch(/^review: 4 of 60 pairs removed, 2 swapped, as people decided\n/);
      expect(text).toMatch(/\n10 +10 +1 +66\.7% \[35\.4%, 87\.9%\]/);
      const expected = ROWS.filter(({ id }) => !top.slice(0, 4).includes(id)).map((row) =>
        top.slice(4, 6).includes(row.id)
          ? {
              ...row,
              chosen: row.rejected,
              rejected: row.chosen,
              chosen_model: row.rejected_model,
              rejected_model: row.chosen_model,
            }
          : row,
      );
      expect(await rowsOf(out)).toEqual(expected);
      const edited = await EDIT.read(plan);
      expect(edited).toMatchObject({ action: "review", swaps: top.slice(4, 6) });
      expect(edited.ids).toHaveLength(6);
      // What training on the plan would see.
      const pairs = await openPairs([PAIRS]);
      const seen: unknown[] = [];
      for await (const row of applyEdit(pairs.read(), edited, pairs.shape)) {
        if (row.kind === "pair") seen.push([row.id, row.chosen[0]!.content]);
      }
      expect(seen).toEqual(expected.map(({ id, chosen }) => [id, chosen]));
    });

    it("refuses what would be passed over, and decisions on other pairs", async () => {
      const some = await decide("some.jsonl", [[NORTH[0]!, "drop"]]);
      for (const [words, message] of [
        [["--decisions", some, "--action", "filter", "--top", "3"], /action: expected none beside/],
        [["--decisions", some, "--top", "3"], /top: expected none beside decisions/],
        [["--decisions", some, "--seed", "1"], /seed: expected a random pick with it, got chosen/],
        [[], /action: expected filter, swap, drop-source, tenth, or decisions/],
        [["--decisions", "nope.jsonl"], /nope\.jsonl: no such file/],
        [["--decisions", PAIRS], /expected the decisions of a review/],
        [
          ["--decisions", await decide("others.jsonl", [["nobody", "drop"]])],
          /others\.jsonl: expected decisions on these pairs, got 1 on others, the first "nobody"/,
        ],
        [
          ["--decisions", await decide("kept.jsonl", [[NORTH[0]!, "keep"]])],
          /no pair is to be dropped or swapped/,
        ],
      ] as const) {
        await expect(byDecisions(...words)).rejects.toThrow(message);
      }
      const copied = await decide("copied.jsonl", [[NORTH[0]!, "drop"]], "another");
      const out = join(ROOT, "copied-out.jsonl");
      const json = await byDecisions("--decisions", copied, "--out", out, "--json");
      expect(json).toContain("made on other files than these");
    });
  });
});
