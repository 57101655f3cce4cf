/** `culprit run` as a user gives it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import type { PlannedStage, RunPlan } from "../src/experiment/plan-run.ts";
import { readExperimentStatus } from "../src/index.ts";
import { createRenderer } from "../src/model/prompt-renderer.ts";
import { runCommand } from "./support/run-command.ts";
import { smallExperiment, trainingSections, writeExperiment } from "./support/small-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const suite = suiteFolder();

test("--until rank runs what the ranking needs, and ends with the verdict and the pairs on top", async () => {
  const folder = await smallExperiment(suite);
  await writeExperiment(suite, folder, await trainingSections(folder));
  const out = join(folder, "out");
  const words = [join(folder, "experiment.yaml"), "--until", "rank", "--out", out];
  // The second time everything is there already.
  for (let time = 0; time < 2; time++) {
    const stdout = await runCommand("run", words);
    expect(stdout).toMatch(/^verdict: /m);
    expect(stdout).toMatch(/^top\b.*score/m);
    expect(stdout).toMatch(/^4 of \d+ stages done/m);
  }
});

test.each([
  [
    "generate: { stop: [no such token] }",
    /^generate\.stop: expected one token of the checkpoint before/,
  ],
  ["rank: { by: nowhere }", /^rank\.by: .*column "nowhere"/],
  ["edits: [{ action: drop-source, top: 5, by: nowhere }]", /^edits\[0\]\.by: .*"nowhere"/],
  ["edits: [{ action: filter, top: 400 }]", /^edits\[0\]\.top: expected at most 39 of the 40/],
  [
    "train: { learningRate: 1e-3, lora: { targets: [query] } }",
    /^train\.lora\.targets: expected weights of the llama blocks, got "query"/,
  ],
  ["responses: pairs.jsonl", /pairs\.jsonl, row 0: .*these look like preference pairs/],
])("--dry-run refuses what a later stage would fail over: %s", async (line, message) => {
  const folder = await smallExperiment(suite);
  const key = line.split(":")[0]!;
  const sections = await trainingSections(folder);
  await writeExperiment(
    suite,
    folder,
    sections.filter((each) => !each.startsWith(`${key}:`)),
  );
  const path = join(folder, "experiment.yaml");
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, [...lines.filter((each) => !each.startsWith(`${key}:`)), line].join("\n"));
  const words = [path, "--dry-run", "--out", join(folder, "out")];
  await expect(runCommand("run", words)).rejects.toThrow(message);
});

test("--dry-run refuses a checkpoint without a chat template", async () => {
  const folder = await smallExperiment(suite);
  const bare = join(folder, "bare");
  await makeTinyCheckpoint(bare);
  const config = join(bare, "tokenizer_config.json");
  const { chat_template: _, ...rest } = JSON.parse(readFileSync(config, "utf8")) as Record<
    string,
    unknown
  >;
  writeFileSync(config, JSON.stringify(rest));
  const path = join(folder, "experiment.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace(join(suite, "sft"), bare));
  await expect(
    runCommand("run", [path, "--dry-run", "--out", join(folder, "out")]),
  ).rejects.toThrow(/^checkpoints\.before: .*chat template/);
});

test("--dry-run plans every stage, with time, tokens and disk, and makes nothing", async () => {
  const folder = await smallExperiment(suite);
  await writeExperiment(suite, folder, await trainingSections(folder));
  const out = join(folder, "out");
  const experiment = join(folder, "experiment.yaml");
  const plan = async (...words: string[]): Promise<RunPlan> =>
    JSON.parse(
      await runCommand("run", [experiment, "--dry-run", "--json", "--out", out, ...words]),
    ) as RunPlan; // what --json prints
  const find = ({ stages }: RunPlan, id: string): PlannedStage =>
    stages.find((stage) => stage.id === id)!;

  const first = await plan();
  expect(existsSync(out)).toBe(false);
  expect(first.stages.length).toBeGreaterThan(10);
  expect(first.stages.every(({ isThere }) => !isThere)).toBe(true);
  expect(find(first, "embed").basis).toBe("short measurement");
  expect(find(first, "embed").seconds).toBeGreaterThan(0);
  expect(find(first, "train-baseline-seed1").bytes).toBeGreaterThan(0);
  expect(first.freeBytes).toBeGreaterThan(0);
  // One response to "b", its prompt counted too.
  const renderer = await createRenderer(join(suite, "sft"));
  const asked = renderer.tokenize([{ role: "user", content: "b" }], []).prompt.length;
  const sampling = first.stages.filter(({ id }) => id.startsWith("evaluation-generate"));
  expect(sampling.map(({ tokens }) => tokens)).toContain(8 + asked);
  const until = await plan("--until", "rank");
  expect(until.stages.map(({ id }) => id)).toEqual(["audit", "behavior", "embed", "rank"]);

  await runCommand("run", [experiment, "--until", "rank", "--out", out]);
  const ranked = await plan();
  expect(ranked.stages.filter(({ isThere }) => isThere).map(({ id }) => id)).toEqual(
    until.stages.map(({ id }) => id),
  );
  expect(find(ranked, "train-baseline-seed1").basis).toBe("speed of others");
  // Of so few pairs the tokens of all were counted.
  const { stages } = await readExperimentStatus(out);
  expect(find(first, "embed").tokens).toBe(stages.find(({ id }) => id === "embed")!.cost!.tokens);

  await writeExperiment(suite, folder, ["embed: { shardRows: 7 }"]);
  const changed = await plan();
  expect(find(changed, "embed")).toMatchObject({ isThere: false, basis: "earlier stages" });
  const text = await runCommand("run", [experiment, "--dry-run", "--out", out]);
  expect(text).toMatch(/^2 of 4 stages would run; nothing is run now/);
  expect(text).toMatch(/^embed +to run .* earlier stages/m);
  expect(text).toMatch(/^audit +there$/m);
  expect(text).toMatch(/free where it goes/);

  await writeExperiment(suite, folder, ["engine: { stages: 3 }"]);
  expect((await plan("--until", "audit")).atOnce).toBe(3);
  const three = await runCommand("run", [experiment, "--dry-run", "--out", join(folder, "new")]);
  expect(three).toMatch(/^up to 3 stages run side by side: by the clock .* less than the sum$/m);
});
