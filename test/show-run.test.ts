/** @file culprit show in an experiment's folder: the files of its ranking, found by what they hold. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { readExperiment } from "../src/experiment/read-experiment.ts";
import { runExperiment } from "../src/experiment/run-experiment.ts";
import { RANK_REPORT } from "../src/ranking/ranking-report.ts";
import type { ShownPair } from "../src/verbs/show.ts";
import { jsonLines } from "./support/data-files.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000 });

const ROOT = suiteFolder();

/** Ranks only, from response pairs. */
const RANKED = {
  probe: undefined,
  discover: undefined,
  steer: undefined,
  edits: undefined,
  evaluate: undefined,
  train: undefined,
  judge: undefined,
  generate: undefined,
  rank: undefined,
  responses: "unrelated.jsonl",
};

test("finds ranking, store, behaviour, layer and pairs of the last run", async () => {
  const folder = join(ROOT, "one");
  const out = join(folder, "out");
  const show = async (...words: string[]): Promise<ShownPair> =>
    JSON.parse(await runCommand("show", [...words, "--json"])) as ShownPair;
  const path = await makeMiniatureExperiment(folder, RANKED);
  await expect(runCommand("show", ["x", out])).rejects.toThrow(
    /expected the folder of an experiment/,
  );
  const file = await readExperiment(path);
  await runExperiment(file, { out, until: "embed" });
  await expect(runCommand("show", ["x", out])).rejects.toThrow(
    /whose stage rank is done, got none/,
  );
  await runExperiment(file, { out, until: "rank" });
  // Another behaviour and store beside the first ones.
  const changes = {
    ...RANKED,
    behavior: "{ layers: [2], splits: 20, flips: 20, nullDirections: 4 }",
  };
  await makeMiniatureExperiment(folder, changes);
  const { stages } = await runExperiment(await readExperiment(path), { out, until: "rank" });
  const { directory } = stages.find(({ id }) => id === "rank")!;
  const report = await RANK_REPORT.read(join(out, directory, RANK_REPORT.name));
  const [best] = report.rankings[0]!.top;
  expect(best!.text).toBeUndefined();

  const shown = await show(best!.id, out);
  expect(shown.places).toMatchObject([{ rank: 1, scored: 80, method: "probe" }]);
  expect(shown.why!.layer).toBe(2);
  expect(shown.why!.cosine).toBeCloseTo(best!.score, 5);
  expect(shown.why!.scenarios.length).toBe(5);
  const rows = (await readFile(join(folder, "pairs.jsonl"), "utf8")).trim().split("\n");
  const row = rows.map((line) => JSON.parse(line) as Record<string, string>)[best!.row]!;
  expect([row["id"], row["chosen"]!.startsWith(shown.text!.chosen.text)]).toEqual([best!.id, true]);

  await rename(join(folder, "pairs.jsonl"), join(folder, "moved.jsonl"));
  const warnings: string[] = [];
  const without = await runCommand("show", [best!.id, out], (line) => void warnings.push(line));
  expect(warnings).toEqual([expect.stringMatching(/pairs\.jsonl: no such file/)]);
  expect(without).toMatch(/no text: /);
  const moved = await show(best!.id, out, "--pairs", join(folder, "moved.jsonl"));
  expect(moved.text).toEqual(shown.text);
  await writeFile(
    join(folder, "pairs.jsonl"),
    jsonLines([{ id: best!.id, prompt: "a", chosen: "b", rejected: "c" }]),
  );
  await expect(show(best!.id, out)).rejects.toThrow(
    /--pairs: expected those that .* is of, got others/,
  );
  expect((await show(best!.id, out, "--no-text")).why).toEqual(shown.why);
  await expect(show(best!.id, out, "more")).rejects.toThrow(
    /expected a pair and a folder, got 3 words/,
  );
});
