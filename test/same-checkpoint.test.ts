/** @file The same checkpoint before and after, under whatever name, is said by every command that takes both. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, expect, it } from "vitest";

import { ConfigError } from "../src/util/errors.ts";
import { jsonLines } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { runCommand } from "./support/run-command.ts";
import { smallExperiment } from "./support/small-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const FOLDER = suiteFolder();
const at = (name: string): string => join(FOLDER, name);
const SAME = /the checkpoint before training and the one after are the same, by their content/;

/** What a command warns of. */
async function warnings(name: string, ...words: string[]): Promise<string> {
  const lines: string[] = [];
  await runCommand(name, words, (line) => void lines.push(line)).catch((error: unknown) => {
    if (!(error instanceof Error) || !("hint" in error)) throw error; // what comes after it is not looked at
  });
  return lines.join("\n");
}

const generate = (checkpoint: string, out: string, seed: string): Promise<string> =>
  runCommand(
    "generate",
    `${at("prompts.jsonl")} --checkpoint ${at(checkpoint)} --out ${at(out)} --seed ${seed} --rollouts 2 --max-tokens 4 --threads 1`.split(
      " ",
    ),
  );

beforeAll(async () => {
  await makeTinyCheckpoint(at("m0"));
  await cp(at("m0"), at("m1"), { recursive: true });
  await makeTinyCheckpoint(at("other"), { seed: 2 });
  const pair = (id: number): object => ({ id, prompt: `a ${id}`, chosen: "b c", rejected: "d e" });
  await writeFile(at("pairs.jsonl"), jsonLines(Array.from({ length: 8 }, (_, i) => pair(i))));
  const prompts = Array.from({ length: 6 }, (_, i) => ({ id: `p${i}`, prompt: `a ${i}` }));
  await writeFile(at("prompts.jsonl"), jsonLines(prompts));
  await generate("m0", "r0.jsonl", "0");
  await generate("m1", "r1.jsonl", "1");
  await generate("other", "r2.jsonl", "1");
  for (const name of ["r0", "r1", "r2"]) {
    const rows = (await readFile(at(`${name}.jsonl`), "utf8")).trim().split("\n");
    const verdicts = rows.map((row) => {
      const { id, scenario, variant, sample } = JSON.parse(row) as Record<string, unknown>;
      return { rollout: id, scenario, variant, sample, judge: "x", label: "not" };
    });
    await writeFile(at(`${name}.verdicts.jsonl`), jsonLines(verdicts));
  }
});

it.each([
  ["m1", SAME],
  ["other", /^$/],
])("audit --before m0 --after %s", async (after, expected) => {
  const words = [at("pairs.jsonl"), "--before", at("m0"), "--after", at(after), "--threads", "1"];
  expect(await warnings("audit", ...words)).toMatch(expected);
});

it.each([
  ["r1", SAME],
  ["r2", /^(?!.*are the same)/],
])("conditions and discover of r0 and %s", async (after, expected) => {
  const both = ["--before", at("r0.jsonl"), "--after", at(`${after}.jsonl`)];
  const verdicts = ["--before-verdicts", at("r0.verdicts.jsonl"), "--after-verdicts"];
  expect(await warnings("conditions", ...both, ...verdicts, at(`${after}.verdicts.jsonl`))).toMatch(
    expected,
  );
  const embed = [at("pairs.jsonl"), "--checkpoint", at("m0"), "--layers", "1", "--threads", "1"];
  await runCommand("embed", [...embed, "--out", at("store")]);
  const discover = [at("store"), "--checkpoint", at("m0"), "--threads", "1", ...both];
  expect(await warnings("discover", ...discover)).toMatch(expected);
});

it("one file of rollouts for both is refused", async () => {
  const same = ["--before", at("r0.jsonl"), "--after", at("r0.jsonl")];
  const verdicts = [
    "--before-verdicts",
    at("r0.verdicts.jsonl"),
    "--after-verdicts",
    at("r1.verdicts.jsonl"),
  ];
  const error = await expectFailure(runCommand("conditions", [...same, ...verdicts]), ConfigError);
  expect(error.message).toMatch(/^--after: expected the rollouts of another checkpoint/);
});

it("culprit run says it of its checkpoints", async () => {
  const folder = await smallExperiment(FOLDER);
  const path = join(folder, "experiment.yaml");
  const text = await readFile(path, "utf8");
  await cp(at("sft"), at("copy"), { recursive: true });
  const both = `{ before: ${at("sft")}, after: ${at("copy")} }`;
  await writeFile(path, text.replace(/^checkpoints: .*$/m, `checkpoints: ${both}`));
  expect(await warnings("run", path, "--dry-run", "--out", join(folder, "out"))).toMatch(
    /^checkpoints: before and after are the same, by their content/,
  );
});
