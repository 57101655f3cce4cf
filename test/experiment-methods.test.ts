/** @file Several attribution methods in one experiment: a ranking of each, and edits that follow the one that they name. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it, vi } from "vitest";

import { formatResult } from "../src/cli/result-table.ts";
import { EDIT } from "../src/edit/edit.ts";
import { readExperiment } from "../src/experiment/read-experiment.ts";
import { runExperiment } from "../src/experiment/run-experiment.ts";
import { RANK_REPORT } from "../src/ranking/ranking-report.ts";
import { RESULT } from "../src/runs/result.ts";
import { makeMiniatureExperiment, MINIATURE_PLANTED } from "./support/miniature-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000 });

const ROOT = suiteFolder();

const METHODS = `
  methods: [{}, { name: length }, { name: length, unit: words, as: words }, { name: random, seed: 3 }]
  nulls: [unrelated.jsonl]`;

const CHANGES = {
  probe: undefined,
  discover: undefined,
  responses: "unrelated.jsonl",
  steer: undefined,
  judge: "{ rules: rules.yaml }",
  evaluate: "{ scenarios: evaluation.jsonl, rollouts: 1, replicates: 50 }",
  rank: METHODS,
  edits:
    "[{ action: filter, top: 5 }, { action: filter, top: 5, method: length, controls: [] }, { action: swap, top: 4, method: words }]",
};

it("ranks by each method, with its quality and cost, and edits by the one that is named", async () => {
  const file = await readExperiment(await makeMiniatureExperiment(join(ROOT, "several"), CHANGES));
  const out = join(ROOT, "several", "out");
  const { stages } = await runExperiment(file, { out });
  const folderOf = (id: string): string =>
    join(
      out,
      "stages",
      stages
        .find((each) => each.id === id)!
        .directory.split("/")
        .at(-1)!,
    );

  const result = await RESULT.read(join(out, RESULT.name));
  const { methods, edits } = result;
  expect(methods.map(({ name, stage }) => [name, stage])).toEqual([
    ["probe", "rank"],
    ["length", "rank-length"],
    ["words", "rank-words"],
    ["random", "rank-random"],
  ]);
  expect(methods.map(({ verdict }) => verdict !== undefined)).toEqual([true, false, false, false]);
  expect(methods.map(({ cost }) => cost.bytes > 0)).toEqual([true, false, false, false]);
  for (const { name, quality } of methods) {
    expect(quality).toMatchObject({ method: name, planted: MINIATURE_PLANTED, pairs: 80 });
  }
  expect(edits.map(({ arm, method }) => [arm, method])).toEqual([
    ["filter-5", "probe"],
    ["filter-5-random", "probe"],
    ["filter-5-length", "length"],
    ["swap-4-words", "words"],
    ["swap-4-words-random", "words"],
  ]);

  const edit = await EDIT.read(join(folderOf("edit-filter-5-length"), EDIT.name));
  const report = await RANK_REPORT.read(join(folderOf("rank-length"), RANK_REPORT.name));
  expect(report).toMatchObject({ cost: { tokens: 0, flops: 0, bytes: 0 } });
  expect(edit.method).toBe("length");
  expect(edit.ids).toEqual(report.rankings[0]!.top.slice(0, 5).map(({ id }) => id));

  const text = formatResult(result);
  expect(text).toMatch(/\nprobe: cos\(v, v_d\)/);
  expect(text).toMatch(/\nmethod +AUROC \[95%\] .* stage\nprobe .* rank\nlength .* rank-length\n/);
  const manifest = await readFile(join(out, "run.json"), "utf8");
  expect(manifest).toContain('"id": "rank-words"');
});

it.each([
  ["methods: [{ name: length }, { name: length, unit: words }]", /expected names of their own/],
  ["methods: [{ name: magic }]", /rank\.methods\[0\]\.name .*got "magic"/],
  ["methods: [{ name: random, scorer: cosine }]", /rank\.methods\[0\]\.scorer .*no setting/],
])("refuses %s", async (attribution, message) => {
  const changes = { ...CHANGES, edits: undefined, rank: `{ ${attribution} }` };
  const path = await makeMiniatureExperiment(join(ROOT, "refused"), changes);
  await expect(readExperiment(path)).rejects.toThrow(message);
});

it("refuses an edit by a method that is not there", async () => {
  const changes = { ...CHANGES, edits: "[{ action: filter, top: 5, method: lengths }]" };
  const path = await makeMiniatureExperiment(join(ROOT, "unknown"), changes);
  await expect(readExperiment(path)).rejects.toThrow(
    /edits\[0\]\.method .*expected one of rank\.methods \(probe, length, words, random\)/,
  );
});
