/** @file What a command refuses a run refuses too, with the same words: both are made of one declaration. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { readExperiment } from "../src/experiment/read-experiment.ts";
import { runExperiment } from "../src/experiment/run-experiment.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = suiteFolder();

/** The message with which a run of the miniature experiment ends. */
async function failureOfRun(
  name: string,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const path = await makeMiniatureExperiment(join(ROOT, name), changes);
  const running = runExperiment(await readExperiment(path), { out: join(ROOT, name, "out") });
  return running.then(
    () => "none",
    (error: Error) => error.message,
  );
}

/** Instead of sampling: the run begins with response pairs. */
const GIVEN = {
  probe: undefined,
  discover: undefined,
  steer: undefined,
  edits: undefined,
  evaluate: undefined,
  train: undefined,
  judge: undefined,
  generate: undefined,
  responses: "unrelated.jsonl",
};

test("more tokens than the checkpoint has positions", async () => {
  const embed = "{ maxTokens: 4000 }";
  const says = /maxTokens: .* was made for 256 positions, got 4000$/;
  expect(await failureOfRun("positions", { ...GIVEN, rank: undefined, embed })).toMatch(says);
  const folder = join(ROOT, "positions");
  const words = ["--checkpoint", join(folder, "sft"), "--layers", "1", "--max-tokens", "4000"];
  const command = runCommand("embed", [
    join(folder, "pairs.jsonl"),
    ...words,
    "--out",
    join(folder, "vectors"),
  ]);
  await expect(command).rejects.toThrow(/^--max-tokens: .* was made for 256 positions, got 4000$/);
});

test("an empty file of response pairs", async () => {
  const path = join(ROOT, "empty.jsonl");
  await writeFile(path, "");
  const says = /empty\.jsonl: expected rows {id, prompt, before, after}, got none/;
  const changes = { ...GIVEN, responses: "../empty.jsonl", rank: undefined };
  expect(await failureOfRun("empty", changes)).toMatch(says);
  const unrelated = { ...GIVEN, rank: "{ nulls: [../empty.jsonl] }" };
  expect(await failureOfRun("empty-null", unrelated)).toMatch(says);
  const words = ["--checkpoint", join(ROOT, "empty", "sft"), "--layers", "1"];
  const command = runCommand("behavior", [path, ...words, "--out", join(ROOT, "b.safetensors")]);
  await expect(command).rejects.toThrow(says);
});
