/** @file Several attribution methods in one experiment: a ranking of each, and edits that follow the one that they name. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it, vi } from "vitest";

import { formatResult } from "../src/cli/result-table.ts";
import { EDIT } from "../src/edit/edit.ts";
import { estimateExperiment } from "../src/experiment/estimate-experiment.ts";
import { readExperiment } from "../src/experiment/read-experiment.ts";
import { runExperiment } from "../src/experiment/run-experiment.ts";
import { RANK_REPORT, type RankingReport } from "../src/ranking/ranking-report.ts";
import { RESULT } from "../src/runs/result.ts";
import { RUN } from "../src/runs/run-manifest.ts";
import { jsonLines } from "./support/data-files.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
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

it("holds an edit to several random sets and the bottom, and trains on each tenth", async () => {
  const folder = join(ROOT, "causal");
  const changes = {
    ...CHANGES,
    rank: "{ nulls: [unrelated.jsonl] }",
    edits: "[{ action: filter, top: 5, controls: [random, bottom], draws: 2 }, { action: tenth }]",
  };
  const file = await readExperiment(await makeMiniatureExperiment(folder, changes));
  const out = join(folder, "out");
  await runExperiment(file, { out });
  const result = await RESULT.read(join(out, RESULT.name));
  const arms = [
    ["filter-5", "chosen", 5, ["filter-5-random", "filter-5-random-2"]],
    ["filter-5-random", "random", 5, []],
    ["filter-5-random-2", "random", 5, []],
    ["filter-5-bottom", "bottom", 5, []],
    ...Array.from({ length: 10 }, (_, i) => [`tenth-${i + 1}`, "chosen", 72, ["tenth-random"]]),
    ["tenth-random", "random", 72, []],
  ];
  expect(result.edits.map((e) => [e.arm, e.pick, e.pairs, e.controls])).toEqual(arms);
  const stages = await readdir(join(out, "stages"));
  const idsOf = async (name: string): Promise<readonly string[]> => {
    const stage = stages.find((each) => each.startsWith(`edit-${name}-`))!;
    return (await EDIT.read(join(out, "stages", stage, EDIT.name))).ids;
  };
  expect(await idsOf("filter-5-random-seed1")).not.toEqual(await idsOf("filter-5-random-2-seed1"));
  const bottom = await idsOf("filter-5-bottom");
  const [lowest, highest] = [await idsOf("tenth-10"), await idsOf("tenth-1")];
  expect(bottom.filter((id) => lowest.includes(id))).toEqual([]);
  expect(bottom.every((id) => highest.includes(id))).toBe(true);

  const { controls, variants } = result.evaluation!;
  expect(controls).toEqual(["filter-5-random", "filter-5-random-2", "tenth-random"]);
  expect(variants[0]!.arms.map(({ arm }) => arm)).toEqual(
    expect.arrayContaining(arms.map(([arm]) => arm)),
  );
  const told = result.conclusions.join("\n");
  expect(told).toMatch(/Dropping the 5 pairs ranked lowest takes the rate from/);
  expect(told).toMatch(
    /Trained on one tenth of the ranking by probe alone, .* in ([\d.]+%, ){9}[\d.]+%; a random tenth [\d.]+%/,
  );
  expect(told).not.toMatch(/72 pairs/);
});

it.each([
  ["{ action: tenth, top: 5 }", /edits\[0\]\.top .*expected none beside tenth/],
  ["{ action: tenth, controls: [bottom] }", /edits\[0\]\.controls .*expected bottom with filter/],
  ["{ action: filter, top: 5, draws: 0 }", /edits\[0\]\.draws .*expected .*1/],
  ["{ action: filter, top: 5, controls: [random, random] }", /controls .*expected each once/],
])("refuses the edit %s", async (edit, expected) => {
  const folder = join(ROOT, "refused-edit");
  const path = await makeMiniatureExperiment(folder, { ...CHANGES, edits: `[${edit}]` });
  await expect(readExperiment(path)).rejects.toThrow(expected);
});

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

it("makes a warm-up and what is read along it for methods that need them", async () => {
  const changes = {
    ...CHANGES,
    edits: undefined,
    evaluate: undefined,
    warmup: "{ learningRate: 1e-3, epochs: 2, batchSize: 8, sample: 20%, lora: { rank: 2 } }",
    embed: "{ sketch: 256 }",
    rank: "{ methods: [{}, { name: less }, { name: tracin }, { name: concept-influence }] }",
  };
  const file = await readExperiment(await makeMiniatureExperiment(join(ROOT, "along"), changes));
  const out = join(ROOT, "along", "out");
  const { stages } = await runExperiment(file, { out });
  const ids = stages.map(({ id }) => id);
  const made = ["warmup", "embed-less", "behavior-less", "embed-gradient", "behavior-concept"];
  expect(ids).toEqual(expect.arrayContaining(made));
  expect(ids).not.toContain("embed-concept");
  const { methods } = await RESULT.read(join(out, RESULT.name));
  expect(methods.map(({ name, quality }) => [name, quality!.pairs])).toEqual([
    ["probe", 80],
    ["less", 80],
    ["tracin", 80],
    ["concept-influence", 80],
  ]);
});

it.each([
  ["warmup", "{ epochs: 2 }", /warmup .*no method of rank\.methods reads gradients along/],
  ["behavior", "{ layers: [1, 2], features: gradient }", /behavior\.features .*no setting/],
  ["embed", "{ features: gradient }", /embed\.features .*no setting/],
])("refuses %s: %s, which it would pass over", async (section, text, message) => {
  const changes = { ...CHANGES, edits: undefined, [section]: text };
  const path = await makeMiniatureExperiment(join(ROOT, "passed-over"), changes);
  await expect(readExperiment(path)).rejects.toThrow(message);
});

/** Nothing is trained, judged or measured. */
const RANKING_ALONE = {
  ...CHANGES,
  train: undefined,
  evaluate: undefined,
  capabilities: undefined,
  judge: undefined,
  edits: undefined,
};
const PAIRS = Array.from({ length: 80 }, (_, i) => `pair-${i}`);

it("ranks by the checkpoint's own states and likelihoods, the whole set or the top of a method before", async () => {
  const methods = `[{ name: length }, { name: ches, candidates: length, top: 20 }, { name: steered-likelihood }, { name: projection-difference }]`;
  const changes = {
    ...RANKING_ALONE,
    rank: `{ methods: ${methods}, rollouts: own.jsonl }`,
  };
  const path = await makeMiniatureExperiment(join(ROOT, "states"), changes);
  const pairs = (await readFile(join(ROOT, "states", "pairs.jsonl"), "utf8")).trim().split("\n");
  const prompts = pairs.map((line) => (JSON.parse(line) as { readonly prompt: string }).prompt);
  const asked = new Set(prompts.slice(0, 30)); // some prompts are there twice
  const answered = prompts.filter((prompt) => asked.has(prompt)).length;
  const rollouts = [...asked].map((prompt, i) => {
    return {
      id: `${i}/base/0`,
      scenario: `${i}`,
      variant: "base",
      sample: 0,
      prompt: [{ role: "user", content: prompt }],
      response: "river stone",
      finish: "stop",
      tokens: 3,
    };
  });
  await writeFile(join(ROOT, "states", "own.jsonl"), jsonLines(rollouts));
  const out = join(ROOT, "states", "out");
  const { stages } = await runExperiment(await readExperiment(path), { out });
  const reportOf = async (id: string): Promise<RankingReport> => {
    const folder = stages
      .find((each) => each.id === id)!
      .directory.split("/")
      .at(-1)!;
    return (await RANK_REPORT.read(join(out, "stages", folder, RANK_REPORT.name))).rankings[0]!;
  };
  expect(await reportOf("rank-ches")).toMatchObject({
    scored: 20,
    candidates: { top: 20, method: "length" },
    unscored: { "not a candidate": 60 },
  });
  const steered = await reportOf("rank-steered-likelihood");
  expect([steered.scored, [1, 2].includes(steered.layer!)]).toEqual([PAIRS.length, true]);
  expect(await reportOf("rank-projection-difference")).toMatchObject({
    scored: answered,
    unscored: { "no rollout of its prompt": 80 - answered },
    remarks: [`Held to the checkpoint's own answers to ${asked.size} prompts.`],
  });
  const { methods: found } = await RESULT.read(join(out, RESULT.name));
  expect(found.map(({ name, quality }) => [name, quality?.pairs])).toEqual([
    ["length", 80],
    ["ches", 80],
    ["steered-likelihood", 80],
    ["projection-difference", 80],
  ]);
});

it("asks a judge about the top of a method before, and says beforehand what that takes", async () => {
  await using server = await startFakeEndpoint({
    answer: (_body, request) => JSON.stringify({ reason: "r", score: request % 3 }),
  });
  const endpoint = `{ baseUrl: "${server.url}", model: m, priceIn: 1, priceOut: 1, concurrency: 1 }`;
  const judge = `{ name: judge, candidates: length, top: 6, description: "It names a river.", endpoint: ${endpoint} }`;
  const changes = {
    ...RANKING_ALONE,
    rank: `{ methods: [{ name: length }, ${judge}] }`,
  };
  const file = await readExperiment(await makeMiniatureExperiment(join(ROOT, "judged"), changes));
  const out = join(ROOT, "judged", "out");
  const estimate = await estimateExperiment(file, { out });
  expect(estimate.stages).toEqual([
    expect.objectContaining({ id: "rank-judge", requests: 12, isSampled: false }),
  ]);
  expect(server.counts.requests).toBe(0);
  const { stages } = await runExperiment(file, { out });
  expect(server.counts.requests).toBe(12);
  const manifest = await RUN.read(join(out, RUN.name));
  const { cost } = manifest.stages.find(({ id }) => id === "rank-judge")!;
  const { directory } = stages.find(({ id }) => id === "rank-judge")!;
  expect(cost).toMatchObject({ endpoint: { requests: 12, answers: 12 } });
  const report = await RANK_REPORT.read(join(out, directory, RANK_REPORT.name));
  expect(report.rankings[0]).toMatchObject({ scored: 6, candidates: { top: 6, method: "length" } });
  // Other prices are no other ranking.
  const dearer = await readExperiment(
    await makeMiniatureExperiment(join(ROOT, "judged"), {
      ...changes,
      rank: changes.rank.replace("priceIn: 1", "priceIn: 2"),
    }),
  );
  await runExperiment(dearer, { out });
  expect(server.counts.requests).toBe(12);
});

it.each([
  [
    "methods: [{ name: judge, description: rhymes }]",
    /rank\.methods\[0\]\.endpoint .*which the method judge needs, got none/,
  ],
  [
    'methods: [{ name: judge, endpoint: { baseUrl: "http://127.0.0.1:9/v1", model: m } }]',
    /rank\.methods\[0\]\.description .*which the method judge needs, got none/,
  ],
  [
    "methods: [{ name: length, candidates: random, top: 2 }, { name: random }]",
    /rank\.methods\[0\]\.candidates .*: expected none with the first method/,
  ],
  [
    "methods: [{ name: random }, { name: length, candidates: random }]",
    /rank\.methods\[1\]\.top .*expected how many/,
  ],
  ["methods: [{ name: random, top: 2 }]", /rank\.methods\[0\]\.candidates .*beside top/],
  [
    "rollouts: unrelated.jsonl, methods: [{ name: random }]",
    /rank\.rollouts .*expected none beside the method random/,
  ],
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
