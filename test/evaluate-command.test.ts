import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();

/** A verdict file in which every prompt shows the behaviour in `shows` of 5 rollouts, give or take one. */
function verdictFile(name: string, shows: number): string {
  const lines = Array.from({ length: 24 }, (_, p) =>
    Array.from({ length: 5 }, (_unused, sample) => {
      const label = sample < Math.max(0, shows + (p % 3) - 1) ? "shows" : "not";
      const place = { rollout: `p${p}/base/${sample}`, scenario: `p${p}`, variant: "base", sample };
      return JSON.stringify({ ...place, label });
    }).join("\n"),
  );
  const path = join(folder, name);
  writeFileSync(path, lines.join("\n"));
  return path;
}

describe("culprit evaluate", () => {
  const whole = [verdictFile("whole-1.jsonl", 3), verdictFile("whole-2.jsonl", 3)];
  const filter = [verdictFile("filter-1.jsonl", 0), verdictFile("filter-2.jsonl", 0)];
  const settings = join(folder, "evaluation.yaml");
  writeFileSync(
    settings,
    `baseline: whole\narms:\n  - name: whole\n    runs: [{verdicts: whole-1.jsonl, measures: {accuracy: 0.9}}, {verdicts: whole-2.jsonl, measures: {accuracy: 0.8}}]\n  - name: filter\n    runs: [{verdicts: filter-1.jsonl}, {verdicts: filter-2.jsonl}]\n`,
  );

  it("gives the same result from a file and from flags, in a table and as JSON", async () => {
    const out = join(folder, "result.json");
    const printed = await runCommand("evaluate", [settings, "--out", out]);
    expect(printed).toMatch(/^base, 24 prompts +seeds +judged/);
    expect(printed).toMatch(/\nfilter +2 +240 +0 +6\.7% \[/);
    const flags = [
      ...whole.map((path) => `whole=${path}`),
      ...filter.map((path) => `filter=${path}`),
    ].flatMap((flag) => ["--arm", flag]);
    const fromFlags = JSON.parse(await runCommand("evaluate", ["--json", ...flags])) as {
      variants: unknown;
    };
    const written = JSON.parse(readFileSync(out, "utf8")) as { variants: unknown };
    expect(fromFlags.variants).toEqual(written.variants);
  });

  it("names what is wrong with the file or the flags", async () => {
    const bad = join(folder, "bad.yaml");
    writeFileSync(bad, "baseline: a\narms: [{name: a, runs: []}]");
    await expect(runCommand("evaluate", [bad])).rejects.toThrow(/bad\.yaml, arms\.0\.runs/);
    await expect(runCommand("evaluate", [])).rejects.toThrow(/one file, or --arm/);
    await expect(runCommand("evaluate", ["--arm", "whole"])).rejects.toThrow(/NAME=VERDICTS/);
  });
});

describe("culprit quality", () => {
  it("prints the figures of every ranking in the file", async () => {
    const ranking = join(folder, "ranking.csv");
    const rows = [1, 2].flatMap((layer) =>
      Array.from({ length: 40 }, (_, i) => `p${i},${layer},${layer === 1 ? 40 - i : i}`),
    );
    writeFileSync(ranking, `id,layer,score\n${rows.join("\n")}\n`);
    const planted = join(folder, "planted.jsonl");
    writeFileSync(planted, '{"id": "p0"}\n{"id": "p1"}\n{"id": "p2"}\n{"id": "p3"}\n');
    const printed = await runCommand("quality", [ranking, "--planted", planted, "--top", "8"]);
    expect(printed).toMatch(/^4 of 40 pairs are planted \(10\.0%\)\n/);
    expect(printed).toMatch(/\nlayer 1 +0 +1\.000 \[1\.000, 1\.000\] .* 0\.500 \[0\.500, 0\.500\]/);
    expect(printed).toMatch(/\nlayer 2 +0 +0\.000 /);
  });
});
