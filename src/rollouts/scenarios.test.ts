import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { FormatError } from "../util/errors.ts";
import { readScenarios, scenarioPrompts, type ScenarioSet } from "./scenarios.ts";

const folder = mkdtempSync(join(tmpdir(), "culprit-scenarios-"));
let files = 0;

async function read(text: string, extension = "jsonl"): Promise<ScenarioSet> {
  const path = join(folder, `${files++}.${extension}`);
  writeFileSync(path, text);
  return readScenarios(path);
}

const texts = (set: ScenarioSet, variants?: readonly string[]): readonly string[] =>
  scenarioPrompts(set, variants).map(
    ({ scenario, variant, prompt }) => `${scenario}|${variant}|${prompt[0]!.content}`,
  );

describe("readScenarios", () => {
  it("reads JSON lines and a YAML list alike", async () => {
    const lines = await read(
      '{"id": "a", "base": "Tell me.", "distractor": "In verse.", "tags": ["t"]}\n{"id": 2, "base": "Say it.", "distractor": "In French."}\n',
    );
    const yaml = await read(
      "- {id: a, base: Tell me., distractor: In verse., tags: [t]}\n- id: 2\n  base: Say it.\n  distractor: In French.\n",
      "yaml",
    );
    expect(yaml.scenarios).toEqual(lines.scenarios);
    expect(texts(lines)).toEqual([
      "a|base|Tell me.",
      "a|base+distractor|Tell me. In verse.",
      "2|base|Say it.",
      "2|base+distractor|Say it. In French.",
    ]);
  });

  it("reads the published document, whose variants have other names", async () => {
    const document =
      "variants: [base, base_plus_distractor]\nscenarios:\n  - {id: a, title: T, base: B, distractor: D}\n";
    const set = await read(document, "yml");
    expect(set.variants).toEqual(["base", "base+distractor"]);
    expect(texts(set, ["base_plus_distractor"])).toEqual(["a|base+distractor|B D"]);
    const json = await read(
      '{"variants": ["base"],\n "scenarios": [{"id": "a", "base": "B"}]}',
      "json",
    );
    expect(texts(json)).toEqual(["a|base|B"]);
  });

  it("fills templates of the document and takes whole prompts of a scenario", async () => {
    const set = await read(
      'variants: {base: , before: "{distractor} {base}"}\nscenarios: [{id: a, base: "$& B", distractor: D, variants: {own: O}}]\n',
      "yaml",
    );
    expect(texts(set, ["base", "before", "own"])).toEqual([
      "a|base|$& B",
      "a|before|D $& B",
      "a|own|O",
    ]);
  });

  it("has only base where no distractor is given", async () => {
    expect((await read('{"id": "a", "base": "B"}')).variants).toEqual(["base"]);
  });

  it.each([
    [
      "a repeated id",
      '{"id":"a","base":"B"}\n{"id":"a","base":"C"}',
      /row 1: the id "a" is that of row 0/,
    ],
    ["a missing base", '{"id":"a","distractor":"D"}', /row 0: scenario "a": base is missing/],
    ["no id", '{"base":"B"}', /row 0: id: expected a name, got nothing/],
    ["an empty text", '{"id":"a","base":"B","distractor":" "}', /row 0: distractor: .* empty text/],
    ["a broken row", '{"id":"a","base":"B"}\n{"id"', /row 1: line 2/],
    ["no row", "\n", /expected scenarios, got none/],
  ])("names the place of %s", async (_, text, message) => {
    const error: unknown = await read(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(message);
  });

  it("names the scenario that lacks a variant", async () => {
    const set = await read('{"id":"a","base":"B","distractor":"D"}\n{"id":"b","base":"B"}');
    expect(() => scenarioPrompts(set, ["base+distractor"])).toThrow(
      /scenario "b": expected a variant "base\+distractor", got only base/,
    );
    await expect(
      read("variants: [base, other]\nscenarios: [{id: a, base: B}]", "yaml"),
    ).rejects.toThrow(/scenario "a": expected a variant "other"/);
  });

  it("says which variants only some scenarios have, unless the file lists its variants", async () => {
    const mixed = [
      { id: "a", base: "A", distractor: "D", variants: { own: "O" } },
      { id: "b", base: "B", distractor: "D" },
      { id: "c", base: "C" },
    ];
    const set = await read(mixed.map((each) => JSON.stringify(each)).join("\n"));
    expect(set.variants).toEqual(["base"]);
    expect(set.omitted).toEqual([
      { variant: "base+distractor", lacking: 1, first: "c" },
      { variant: "own", lacking: 2, first: "b" },
    ]);
    const listed = await read(JSON.stringify({ variants: ["base"], scenarios: mixed }), "json");
    expect(listed.omitted).toEqual([]);
  });

  it("says which keys mean nothing, and which was meant", async () => {
    const rows = [
      { id: "a", base: "A", note: 1 },
      { id: "b", base: "B", distracter: "D", note: 2 },
    ];
    const set = await read(rows.map((each) => JSON.stringify(each)).join("\n"));
    expect(set.unknownKeys).toEqual([
      { key: "note", row: 0, rows: 2, near: undefined },
      { key: "distracter", row: 1, rows: 1, near: "distractor" },
    ]);
    expect(
      (await read('{"id": "a", "base": "A", "title": "t", "tags": ["x"]}')).unknownKeys,
    ).toEqual([]);
  });

  it("names the line of broken YAML and refuses aliases", async () => {
    await expect(read("- {id: a\n- b: [", "yaml")).rejects.toThrow(/line \d: expected YAML/);
    await expect(read("- &x {id: a, base: B}\n- *x\n", "yaml")).rejects.toThrow(/alias/);
  });
});
