import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const MAIN = new URL("../src/cli/main.ts", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "culprit-evaluate-"));

function culprit(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const found = spawnSync(process.execPath, ["--import", "tsx", MAIN, ...words], {
    encoding: "utf8",
    cwd: new URL("..", import.meta.url).pathname,
  });
  return { status: found.status, stdout: found.stdout, stderr: found.stderr };
}

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

  it("gives the same result from a file and from flags, in a table and as JSON", () => {
    const out = join(folder, "result.json");
    const fromFile = culprit("evaluate", settings, "--out", out);
    expect(fromFile.stderr).toBe("");
    expect(fromFile.stdout).toMatch(/^base, 24 prompts +seeds +judged/);
    expect(fromFile.stdout).toMatch(/\nfilter +2 +240 +0 +6\.7% \[/);
    const flags = [
      ...whole.map((path) => `whole=${path}`),
      ...filter.map((path) => `filter=${path}`),
    ];
    const fromFlags = culprit("evaluate", "--json", ...flags.flatMap((flag) => ["--arm", flag]));
    const read = JSON.parse(fromFlags.stdout) as { variants: unknown };
    expect(read.variants).toEqual(
      (JSON.parse(readFileSync(out, "utf8")) as { variants: unknown }).variants,
    );
  });

  it("names what is wrong with the file or the flags", () => {
    writeFileSync(
      settings.replace(".yaml", "-bad.yaml"),
      "baseline: a\narms: [{name: a, runs: []}]",
    );
    const bad = culprit("evaluate", settings.replace(".yaml", "-bad.yaml"));
    expect([bad.status, bad.stderr]).toEqual([2, expect.stringMatching(/arms\.0\.runs/)]);
    expect(culprit("evaluate").status).toBe(2);
    expect(culprit("evaluate", "--arm", "whole").stderr).toMatch(/NAME=VERDICTS/);
  });
});
