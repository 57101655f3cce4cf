import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { readScenarios } from "../src/rollouts/scenarios.ts";
import { temporaryFolder } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";

const run = (...words: string[]): Promise<string> => runCommand("scenarios", words);

let at: (name: string) => string;

beforeEach(async () => {
  const folder = await temporaryFolder();
  at = (name) => join(folder, name);
  const lines = Array.from({ length: 10 }, (_, i) => `Request number ${i}?`);
  await writeFile(at("bases.txt"), [...lines, "request number 3?"].join("\n"));
});

describe("culprit scenarios", () => {
  it("writes the same bytes again, and says what it made of what", async () => {
    const words = [at("bases.txt"), "--per-base", "2", "--only", "startend,change_case"];
    const text = await run(...words, "--out", at("a.jsonl"));
    expect(text).toContain("20 scenarios of 10 base prompts, 1 repeated ones merged");
    expect(text).toMatch(/change_case +3 +\d+\nstartend +3 +\d+/);
    await run(...words, "--out", at("b.jsonl"));
    expect(await readFile(at("b.jsonl"), "utf8")).toBe(await readFile(at("a.jsonl"), "utf8"));
    const { scenarios, variants } = await readScenarios(at("a.jsonl"));
    expect(variants).toEqual(["base", "base+distractor"]);
    expect(scenarios).toHaveLength(20);
  });

  it("says that halves count as one what punctuation alone tells apart", async () => {
    await writeFile(at("few.txt"), "Make tea.\nMake tea!\nMake soup.\nMake bread.");
    const halves = ["--out-probe", at("p.jsonl"), "--out-evaluation", at("e.jsonl")];
    const text = await run(at("few.txt"), ...halves);
    expect(text).toContain("4 scenarios of 4 base prompts");
    expect(text).toContain("1 base prompt differs from another in punctuation alone");
    const apart = await run(at("bases.txt"), ...halves, "--force");
    expect(apart).not.toContain("punctuation alone");
  });

  it("splits what it composed as it would split the file", async () => {
    const halves = (name: string) => [
      "--out-probe",
      at(`${name}.p.jsonl`),
      "--out-evaluation",
      at(`${name}.e.jsonl`),
      "--probe-share",
      "0.3",
    ];
    const json = await run(at("bases.txt"), "--out", at("all.jsonl"), ...halves("a"), "--json");
    expect(JSON.parse(json)).toMatchObject({
      scenarios: 10,
      composition: { bases: 10, duplicates: 1, skipped: {} },
      probe: { bases: 3, scenarios: 3 },
      evaluation: { bases: 7, scenarios: 7 },
    });
    const text = await run("--scenarios", at("all.jsonl"), ...halves("b"));
    expect(text).toContain("probe: 3 scenarios of 3 base prompts");
    for (const half of ["p", "e"]) {
      expect(await readFile(at(`b.${half}.jsonl`), "utf8")).toBe(
        await readFile(at(`a.${half}.jsonl`), "utf8"),
      );
    }
  });

  it("keeps titles and further variants of a file that it only splits", async () => {
    const yaml = [
      'variants: {base: , first: "{distractor} {base}"}',
      "scenarios:",
      "  - {id: a, title: T, base: A., distractor: D.}",
      "  - {id: b, base: B., distractor: E.}",
    ].join("\n");
    await writeFile(at("s.yaml"), yaml);
    await run("--scenarios", at("s.yaml"), "--out-probe", at("p"), "--out-evaluation", at("e"));
    const rows = `${await readFile(at("p"), "utf8")}${await readFile(at("e"), "utf8")}`;
    const first = rows.split("\n").find((row) => row.includes('"a"'));
    expect(JSON.parse(first!)).toEqual({
      id: "a",
      title: "T",
      base: "A.",
      distractor: "D.",
      variants: { first: "D. A." },
    });
  });

  it("takes own constraints, and lists a pool", async () => {
    await writeFile(at("own.yaml"), '- {id: "verse:short", text: In verse.}\n');
    await run(at("bases.txt"), "--constraints", at("own.yaml"), "--out", at("a.jsonl"));
    const { scenarios } = await readScenarios(at("a.jsonl"));
    expect(new Set(scenarios.map(({ distractor }) => distractor))).toEqual(new Set(["In verse."]));
    const list = await run("--constraints", at("own.yaml"), "--constraints", "builtin");
    expect(list).toMatch(/^verse:short\n {4}In verse\.\nlength_constraints:/);
  });

  it("refuses what does not fit together before it writes anything", async () => {
    const bases = at("bases.txt");
    const out = ["--out", at("x.jsonl")];
    const refused = async (words: readonly string[], message: RegExp): Promise<void> => {
      await expect(run(...words)).rejects.toThrow(message);
    };
    await refused([bases], /expected out, or --out-probe and --out-evaluation/);
    await refused([bases, "--out-probe", at("p")], /expected both .*, got one/);
    await refused(
      [bases, ...out, "--probe-share", "0.4"],
      /--probe-share: expected --out-probe and/,
    );
    await refused([bases, "--out-probe", at("p"), "--out-evaluation", at("p")], /twice/);
    await refused([...out], /expected files of base prompts, got none/);
    await refused([bases, "--out", bases, "--force"], /another file than the input/);
    await refused([bases, ...out, "--only", "lenght"], /got "lenght"/);
    await refused([bases, ...out, "--per-base", "500"], /expected at most \d+/);
    await refused(
      ["--scenarios", bases, ...out, "--only", "x"],
      /--(only|out): expected composing with it, got a scenarios file to split/,
    );
    const own = at("own.yaml");
    await writeFile(own, "- {id: a, text: A.}\n");
    await refused([bases, "--constraints", own, "--out", own, "--force"], /another file/);
    await expect(readFile(at("x.jsonl"))).rejects.toThrow(/ENOENT/);
  });
});
