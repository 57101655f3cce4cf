import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { jsonLines, temporaryFolder } from "./data-files.ts";
import { randomPairs } from "./random-pairs.ts";
import { makeTinyCheckpoint } from "./tiny-checkpoint.ts";

/** An experiment on a random checkpoint, `sft` of the suite's folder, with 40 random pairs, in a folder of its own. */
export async function smallExperiment(suite: string, more: string[] = []): Promise<string> {
  const folder = await temporaryFolder();
  await makeTinyCheckpoint(join(suite, "sft"));
  await writeFile(join(folder, "pairs.jsonl"), jsonLines(randomPairs(40)));
  const responses = randomPairs(12, 5).map(({ id, prompt, chosen, rejected }) => {
    return { id, prompt, before: rejected, after: chosen };
  });
  await writeFile(join(folder, "responses.jsonl"), jsonLines(responses));
  await writeExperiment(suite, folder, more);
  return folder;
}

/** Writes its file; `more` are further sections, a line each. */
export async function writeExperiment(
  suite: string,
  folder: string,
  more: string[] = [],
): Promise<void> {
  const lines = [
    "name: small",
    `checkpoints: { before: ${join(suite, "sft")} }`,
    "pairs: { files: [pairs.jsonl] }",
    "responses: responses.jsonl",
    "behavior: { layers: [1, 2], splits: 20, flips: 20, nullDirections: 4 }",
    ...more,
  ];
  await writeFile(join(folder, "experiment.yaml"), lines.join("\n"));
}

/** Sections that train and measure one arm on one scenario, which is written too. */
export async function trainingSections(folder: string): Promise<string[]> {
  await writeFile(join(folder, "scenarios.jsonl"), jsonLines([{ id: "a", base: "b" }]));
  return [
    "edits: [{ action: filter, top: 3 }]",
    "train: { learningRate: 1e-3 }",
    "judge: { rules: refusal }",
    "generate: { maxTokens: 8 }",
    "evaluate: { scenarios: scenarios.jsonl, variants: [base], trigger: base, rollouts: 1 }",
  ];
}
