/** @file Labels that people gave to rollouts which an experiment has sampled: beside another judge, or as the judge. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import {
  type ExperimentRun,
  isMissing,
  readExperiment,
  readRollouts,
  readVerdicts,
  runExperiment,
} from "../src/index.ts";
import { ConfigError } from "../src/util/errors.ts";
import { jsonLines } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000 });

const folder = join(suiteFolder(), "experiment");
const out = join(folder, "out");

async function run(judge: string, until: string): Promise<ExperimentRun> {
  const path = await makeMiniatureExperiment(folder, {
    checkpoints: "{ before: sft, after: sft }",
    train: undefined,
    edits: undefined,
    steer: undefined,
    evaluate: undefined,
    judge,
  });
  return runExperiment(await readExperiment(path), { out, until });
}

const made = ({ stages }: ExperimentRun): string[] =>
  stages.filter(({ isCached }) => !isCached).map(({ id }) => id);
const directoryOf = ({ stages }: ExperimentRun, id: string): string =>
  join(out, stages.find((stage) => stage.id === id)!.directory);

/** Every n-th rollout of a stage, labelled by its first letter. */
async function label(rollouts: string, every: number): Promise<void> {
  const labels: object[] = [];
  let i = 0;
  for await (const { id, response } of readRollouts(rollouts)) {
    if (i++ % every === 0) labels.push({ rollout: id, label: response > "m" ? "shows" : "not" });
  }
  await writeFile(join(folder, "labels.jsonl"), jsonLines(labels));
}

describe("labels in an experiment", () => {
  it("are added after sampling, and only what depends on them runs", async () => {
    const first = await run("{ rules: rules.yaml }", "judge");
    await label(join(directoryOf(first, "generate-after"), "rollouts.jsonl"), 3);
    const judge = "{ rules: rules.yaml, labels: { judge-after: labels.jsonl } }";
    const second = await run(judge, "agreement");
    expect(made(second)).toEqual(["agreement-after"]);
    const found: unknown = JSON.parse(
      await readFile(join(directoryOf(second, "agreement-after"), "agreement.json"), "utf8"),
    );
    const verdicts = join(directoryOf(second, "judge-after"), "verdicts.jsonl");
    const words = [verdicts, "--labels", join(folder, "labels.jsonl"), "--json"];
    expect(found).toEqual(JSON.parse(await runCommand("agreement", words)));
    expect(found).toMatchObject({
      agreement: { labelled: 80 },
      variants: [{ variant: "base" }, { variant: "base+distractor" }],
    });
  });

  it("of other rollouts with the same ids are refused, by the setting that names them", async () => {
    const sampled = await run("{ rules: rules.yaml }", "judge");
    const verdicts = await readVerdicts(
      join(directoryOf(sampled, "judge-after"), "verdicts.jsonl"),
    );
    const edited = verdicts.slice(0, 4).map((each) => ({ ...each, content: "0123456789abcdef" }));
    await writeFile(join(folder, "others.jsonl"), jsonLines(edited));
    const judge = "{ rules: rules.yaml, labels: { judge-after: others.jsonl } }";
    await expect(run(judge, "agreement")).rejects.toThrow(
      /^judge\.labels\.judge-after: expected those of the rollouts that were judged, got one of another text/,
    );
    const human = "{ meaning: b, labels: { judge-before: others.jsonl } }";
    await expect(run(human, "judge")).rejects.toThrow(
      /^judge\.labels\.judge-before: expected those .* another text/,
    );
  });

  it("are the verdicts where people are the judge, and what nobody labelled is missing", async () => {
    const judge = '{ meaning: "begins late in the alphabet" }';
    const error = await expectFailure(run(judge, "judge"), ConfigError);
    expect(error.message).toBe(
      "judge.labels: expected a file of labels for judge-before, got none",
    );
    expect(error.hint).toMatch(/^culprit review .*rollouts\.jsonl --meaning "begins late/);
    const sampled = await run(judge, "generate");
    await label(join(directoryOf(sampled, "generate-before"), "rollouts.jsonl"), 2);
    const both = "{ judge-before: labels.jsonl, judge-after: labels.jsonl }";
    const judged = await run(judge.replace(" }", `, labels: ${both} }`), "judge");
    expect(made(judged)).toEqual(["judge-before", "judge-after"]);
    const path = join(directoryOf(judged, "judge-before"), "verdicts.jsonl");
    const verdicts = await readVerdicts(path);
    expect(verdicts.filter(isMissing)).toHaveLength(120);
    expect(verdicts.find(isMissing)).toMatchObject({ missing: "not labelled" });
  });

  it.each([
    ["{ nowhere: labels.jsonl }", /^judge\.labels: expected stages that judge, got "nowhere"/],
    ["{ judge-after: none.jsonl }", /^judge\.labels\.judge-after: .*none\.jsonl/],
    ["{ judge-after: foreign.jsonl }", /expected labels of rollouts with a verdict, got none of 1/],
    ["{ judge-after: broken.jsonl }", /row 0: label: expected "shows" or "not"/],
  ])("refuses %s", async (labels, message) => {
    await writeFile(join(folder, "foreign.jsonl"), jsonLines([{ rollout: "x", label: "not" }]));
    await writeFile(join(folder, "broken.jsonl"), jsonLines([{ rollout: "x", label: "maybe" }]));
    const judge = `{ rules: rules.yaml, labels: ${labels} }`;
    await expect(run(judge, "agreement")).rejects.toThrow(message);
  });
});
