import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { describe, expect, it } from "vitest";

import type { StageWork } from "../src/experiment/stage.ts";
import { verbStage } from "../src/experiment/verb-stage.ts";
import type { Evaluation } from "../src/rates/evaluation.ts";
import { silentProgress } from "../src/util/progress.ts";
import { evaluate } from "../src/verbs/evaluate.ts";
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

  it("takes what the file says unless a flag says something else", async () => {
    const words = "--json --baseline filter --replicates 0 --controls filter --controls whole";
    const json = await runCommand("evaluate", [settings, ...words.split(" ")]);
    const evaluation = JSON.parse(json) as Evaluation;
    expect([evaluation.baseline, evaluation.controls]).toEqual(["filter", ["filter", "whole"]]);
    const { bootstrap } = evaluation.variants[0]!.arms[0]!;
    expect(bootstrap).toBeUndefined();
  });

  it("compares capabilities item by item, and refuses a measure of the same name", async () => {
    const tasks = (value: number) => JSON.stringify({ tasks: { a: value, b: 1 } });
    writeFileSync(join(folder, "whole.json"), tasks(1));
    writeFileSync(join(folder, "filter.json"), tasks(0));
    const file = (measures: string): string => {
      const runs = (arm: string): string =>
        `[{verdicts: ${arm}-1.jsonl, capabilities: ${arm}.json, measures: ${measures}}]`;
      const path = join(folder, "capabilities.yaml");
      const arms = ["whole", "filter"].map((arm) => `  - {name: ${arm}, runs: ${runs(arm)}}\n`);
      writeFileSync(path, `baseline: whole\narms:\n${arms.join("")}`);
      return path;
    };
    const json = await runCommand("evaluate", [file("{other: 1}"), "--json"]);
    const { measures } = JSON.parse(json) as Evaluation;
    const compared = measures.map(({ arm, measure, toBaseline }) => [
      `${arm} ${measure}`,
      toBaseline?.items,
      toBaseline?.difference,
    ]);
    expect(compared).toContainEqual(["filter tasks", 2, -0.5]);
    expect(compared).toContainEqual(["filter other", 1, 0]);
    await expect(runCommand("evaluate", [file("{tasks: 1}")])).rejects.toThrow(
      /whole\.json: expected other capabilities than the measures of arm "whole", got "tasks" in both/,
    );
  });

  it("writes the same from stages, each with the verdicts of a run", async () => {
    const stages = Object.fromEntries(
      ["whole-1", "whole-2", "filter-1", "filter-2"].map((name) => [name, `judge-${name}`]),
    );
    const runs = (arm: string, at: (name: string) => string) =>
      ["1", "2"].map((seed) => ({ seed, verdicts: at(`${arm}-${seed}`), measures: {} }));
    const directory = join(folder, "stage");
    mkdirSync(directory);
    const stage = verbStage(evaluate, {
      kind: "evaluate",
      settings: { replicates: 50, seed: 3 },
      inputs: {
        arm: undefined,
        file: {
          stages,
          open: (at: (name: string) => string) => ({
            baseline: "whole",
            controls: undefined,
            variants: undefined,
            arms: ["whole", "filter"].map((name) => ({ name, runs: runs(name, at) })),
          }),
        },
      },
      outputs: ["out"],
    });
    expect(stage.inputs).toEqual(
      Object.fromEntries(Object.entries(stages).map(([name, id]) => [name, { stage: id }])),
    );
    const work = {
      directory,
      input: (name: string) => join(folder, `${name}.jsonl`),
      progress: () => silentProgress,
    } as unknown as StageWork; // all it uses
    await stage.run(work);
    const arms = [...whole, ...filter].flatMap((path) => {
      return ["--arm", `${basename(path).replace(/-.*/, "")}=${path}`];
    });
    const json = await runCommand("evaluate", [
      ...arms,
      "--replicates",
      "50",
      "--seed",
      "3",
      "--json",
    ]);
    expect(readFileSync(join(directory, "evaluation.json"), "utf8")).toBe(`${json}\n`);
  });

  it("names what is wrong with the file or the flags", async () => {
    const bad = join(folder, "bad.yaml");
    writeFileSync(bad, "baseline: a\narms: [{name: a, runs: []}]");
    await expect(runCommand("evaluate", [bad])).rejects.toThrow(/bad\.yaml, arms\.0\.runs/);
    await expect(runCommand("evaluate", [])).rejects.toThrow(
      /^--arm: expected it, or one file of arms, got neither$/,
    );
    await expect(runCommand("evaluate", [settings, "--arm", `whole=${whole[0]}`])).rejects.toThrow(
      /^--arm: expected it, or one file of arms, got both$/,
    );
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
    const printed = await runCommand("quality", [ranking, "--planted", planted, "--tops", "8"]);
    expect(printed).toMatch(/^4 of 40 pairs are planted \(10\.0%\)\n/);
    expect(printed).toMatch(/\nlayer 1 +0 +1\.000 \[0\.746, 1\.000\] .* 0\.500 \[0\.255, 0\.500\]/);
    expect(printed).toMatch(/\nlayer 2 +0 +0\.000 /);
  });
});
