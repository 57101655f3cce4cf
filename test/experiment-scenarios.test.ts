/** @file An experiment that composes its scenarios. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it, vi } from "vitest";

import { parseExperiment, readExperiment, readRollouts, runExperiment } from "../src/index.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000 });

const folder = join(suiteFolder(), "experiment");

it("composes and splits as culprit scenarios does, samples the probe's half, and does nothing again", async () => {
  const path = await makeMiniatureExperiment(folder, {
    checkpoints: "{ before: sft, after: sft }",
    scenarios: "{ bases: [bases.txt], perBase: 2, probeShare: 0.6, seed: 4 }",
    probe: "{ rollouts: 1 }",
    train: undefined,
    edits: undefined,
    steer: undefined,
    evaluate: "{ rollouts: 1 }",
    judge: "{ rules: rules.yaml }",
  });
  const bases = Array.from({ length: 10 }, (_, i) => `Say something about number ${i}.`);
  const file = join(folder, "bases.txt");
  await writeFile(file, bases.join("\n"));
  const out = join(folder, "out");
  const run = async (): ReturnType<typeof runExperiment> =>
    runExperiment(await readExperiment(path), { out, until: "generate" });
  const { stages } = await run();
  const flags = "--per-base 2 --probe-share 0.6 --seed 4 --out-probe P --out-evaluation E".split(
    " ",
  );
  const halves = { P: join(folder, "probe-half.jsonl"), E: join(folder, "evaluation-half.jsonl") };
  await runCommand("scenarios", [
    file,
    ...flags.map((word) => (word === "P" || word === "E" ? halves[word] : word)),
  ]);
  for (const [half, made] of [
    ["probe", halves.P],
    ["evaluation", halves.E],
  ] as const) {
    const shown = await readFile(join(out, `scenarios.${half}.jsonl`), "utf8");
    expect(shown).toBe(await readFile(made, "utf8"));
  }
  const sampled = stages.find(({ id }) => id === "generate-before")!;
  const seen = new Set<string>();
  for await (const { scenario } of readRollouts(join(out, sampled.directory, "rollouts.jsonl"))) {
    seen.add(scenario);
  }
  expect(seen.size).toBe(6 * 2);
  expect((await run()).stages.every(({ isCached }) => isCached)).toBe(true);
});

it.each([
  ["probe: { scenarios: s }", /probe\.scenarios .*expected none beside scenarios/],
  ["scenarios: { bases: [] }", /scenarios\.bases .*expected at least 1 entries/],
])("refuses %s", (line, message) => {
  const sections: Record<string, string> = {
    head: "name: bad\ncheckpoints: { before: a, after: b }\npairs: { files: [p] }\njudge: { rules: refusal }\nbehavior: { layers: [1] }",
    scenarios: "scenarios: { bases: [b.txt] }",
    probe: "probe: {}",
    [line.split(":")[0]!]: line,
  };
  expect(() => parseExperiment(Object.values(sections).join("\n"), "bad.yaml")).toThrow(message);
});

it("refuses a scenario without a variant to sample before anything runs", async () => {
  const of = join(folder, "lacking");
  const path = await makeMiniatureExperiment(of);
  const lines = (await readFile(join(of, "evaluation.jsonl"), "utf8")).trimEnd().split("\n");
  const { distractor: _, ...rest } = JSON.parse(lines[3]!) as { readonly distractor: string };
  await writeFile(
    join(of, "evaluation.jsonl"),
    [...lines.slice(0, 3), JSON.stringify(rest)].join("\n"),
  );
  const running = runExperiment(await readExperiment(path), { out: join(of, "out") });
  await expect(running).rejects.toThrow(
    /^evaluate\.scenarios: .*scenario "evaluation-3": expected a variant "base\+distractor"/,
  );
  await expect(readFile(join(of, "out", "run.json"))).rejects.toThrow(/ENOENT/);
});
