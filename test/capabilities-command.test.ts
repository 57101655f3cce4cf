/** What `culprit capabilities` measures, and that a stage of it measures the same. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, expect, test } from "vitest";

import { openLocalEngine } from "../src/engine/local-engine.ts";
import { localHost } from "../src/engine/local-host.ts";
import type { StageWork } from "../src/experiment/stage.ts";
import { verbStage } from "../src/experiment/verb-stage.ts";
import type { CapabilityMeasures } from "../src/rates/measure-capabilities.ts";
import { silentProgress } from "../src/util/progress.ts";
import { capabilities } from "../src/verbs/capabilities.ts";
import { checkpointAt } from "../src/verbs/inputs/checkpoint.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const CHECKPOINT = join(ROOT, "checkpoint");
const PAIRS = join(ROOT, "pairs.jsonl");
const ANSWERS = join(ROOT, "answers.jsonl");
const TASKS = join(ROOT, "tasks.jsonl");
const pairs = randomPairs(6);
const ids = pairs.map(({ id }) => id);

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  await writeFile(PAIRS, jsonLines(pairs));
  const answers = pairs.map(({ id, prompt, chosen }) => ({ id, prompt, response: chosen }));
  await writeFile(ANSWERS, jsonLines(answers));
  await using engine = await openLocalEngine(CHECKPOINT, { threads: 1 });
  const prompts = pairs.map(({ prompt }) =>
    engine.tokenizePrompt([{ role: "user", content: prompt }]),
  );
  const likeliest: string[] = [];
  const options = { samples: 1, temperature: 0, maxTokens: 8 };
  for await (const { prompt, tokens } of engine.generate(prompts, options)) {
    likeliest[prompt] = engine.decode(tokens).trim();
  }
  const escaped = likeliest.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const tasks = pairs.map(({ id, prompt }, i) => {
    return { id, prompt, pattern: i < 3 ? `^${escaped[i]}$` : `^${escaped[i]}.` };
  });
  await writeFile(TASKS, jsonLines(tasks));
});

test("measures what is asked for item by item, and prints the means", async () => {
  const out = join(ROOT, "capabilities.json");
  const words = ["--checkpoint", CHECKPOINT, "--threads", "1", "--max-tokens", "8", "--out", out];
  const files = ["--pairs", PAIRS, "--answers", ANSWERS, "--tasks", TASKS];
  const printed = await runCommand("capabilities", [...words, ...files]);
  const measured = JSON.parse(await readFile(out, "utf8")) as CapabilityMeasures;
  expect(Object.keys(measured)).toEqual(["preferences", "answers", "tasks"]);
  await using engine = await openLocalEngine(CHECKPOINT, { threads: 1 });
  const perToken: number[][] = [];
  const examples = pairs.map(({ prompt, chosen, rejected }) => {
    const turn = (content: string) => [{ role: "assistant" as const, content }];
    return engine.tokenize([{ role: "user", content: prompt }], [chosen, rejected].map(turn));
  });
  for await (const { index, logprobs, tokenCounts } of engine.logprobs(examples)) {
    perToken[index] = logprobs.map((sum, i) => sum / tokenCounts[i]!);
  }
  expect(measured.answers).toEqual(
    Object.fromEntries(ids.map((id, i) => [id, expect.closeTo(perToken[i]![0]!, 5)])),
  );
  expect(measured.preferences).toEqual(
    Object.fromEntries(ids.map((id, i) => [id, Number(perToken[i]![0]! > perToken[i]![1]!)])),
  );
  expect(Object.values(measured.tasks!)).toEqual([1, 1, 1, 0, 0, 0]);
  expect(printed).toMatch(/^capability +items +mean \[95%\]/);
  const answers = Object.values(measured.answers!);
  const mean = answers.reduce((sum, value) => sum + value, 0) / answers.length;
  expect(printed).toMatch(new RegExp(`\\nanswers +6 +${mean.toFixed(3)} \\[`));
  expect(printed).toMatch(/\ntasks +6 +50\.0% \[/);
});

test("a stage writes what the command writes", async () => {
  const directory = join(ROOT, "stage");
  await mkdir(directory);
  const file = (path: string) => ({ content: path, open: () => path });
  const stage = verbStage(capabilities, {
    kind: "capabilities",
    settings: { maxTokens: 8 },
    inputs: {
      checkpoint: { content: "c", open: () => checkpointAt(localHost, CHECKPOINT, { threads: 1 }) },
      pairs: undefined,
      answers: file(ANSWERS),
      tasks: undefined,
      overRefusal: file(TASKS),
    },
    outputs: ["out"],
  });
  const work = { directory, progress: () => silentProgress } as unknown as StageWork; // all it uses
  await stage.run(work);
  const out = join(ROOT, "same.json");
  const words = ["--checkpoint", CHECKPOINT, "--threads", "1", "--max-tokens", "8", "--out", out];
  await runCommand("capabilities", [...words, "--answers", ANSWERS, "--over-refusal", TASKS]);
  const written = await readFile(join(directory, "capabilities.json"), "utf8");
  expect(written).toBe(await readFile(out, "utf8"));
  expect(Object.keys(JSON.parse(written) as CapabilityMeasures)).toEqual([
    "answers",
    "overRefusal",
  ]);
});

test("nothing to measure is refused before the checkpoint is opened", async () => {
  await expect(runCommand("capabilities", ["--checkpoint", "nowhere"])).rejects.toThrow(
    /^--pairs: expected held-out pairs, answers or tasks to measure, got none$/,
  );
});
