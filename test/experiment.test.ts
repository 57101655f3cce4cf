import { cp, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { expect, it, vi } from "vitest";

import { BEHAVIOR_REPORT } from "../src/behavior/behavior-file.ts";
import { formatResult } from "../src/cli/result-table.ts";
import { EDIT } from "../src/edit/edit.ts";
import {
  type ExperimentRun,
  type RunExperimentOptions,
  readExperiment,
  RESULT,
  runExperiment,
  STAGE_KINDS,
  withTrainingSeeds,
} from "../src/index.ts";
import { readMeasured } from "../src/membership/read-measured.ts";
import { MEASURED_NAME } from "../src/membership/write-measured.ts";
import { AUDIT } from "../src/pairs/audit-report.ts";
import { QUALITY } from "../src/ranking/ranking-quality.ts";
import { RANK_REPORT } from "../src/ranking/ranking-report.ts";
import { CONDITIONS } from "../src/rates/condition-rates.ts";
import { AGREEMENT } from "../src/rates/judge-beside-people.ts";
import { CAPABILITY_MEASURES } from "../src/rates/measure-capabilities.ts";
import { ROLLOUT_MANIFEST } from "../src/rollouts/rollout-manifest.ts";
import { RUN } from "../src/runs/run-manifest.ts";
import { RECORD } from "../src/runs/stage-record.ts";
import { ARM_COHERENCE } from "../src/steering/coherence.ts";
import { STEERING } from "../src/steering/steering-report.ts";
import { STORE_COMPLETION, STORE_MANIFEST } from "../src/store/vector-store-manifest.ts";
import { TRAIN_MANIFEST } from "../src/training/run-folder.ts";
import {
  makeMiniatureExperiment,
  MINIATURE_LABELS,
  MINIATURE_PLANTED,
} from "./support/miniature-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";

// A run takes about ten seconds of one core, and machines are shared.
vi.setConfig({ testTimeout: 400_000 });

const suite = suiteFolder();
const experiment = makeMiniatureExperiment(join(suite, "experiment"));

async function run(
  name: string,
  { seeds = 1, ...options }: Partial<RunExperimentOptions> & { seeds?: number } = {},
): Promise<ExperimentRun> {
  const file = withTrainingSeeds(await readExperiment(await experiment), seeds);
  return runExperiment(file, { out: join(suite, name), ...options });
}

/** Every kind of JSON file in the folder of a finished run. */
const JSON_FILES = [
  AUDIT,
  BEHAVIOR_REPORT,
  CONDITIONS,
  AGREEMENT,
  CAPABILITY_MEASURES,
  QUALITY,
  EDIT,
  RANK_REPORT,
  STEERING,
  ARM_COHERENCE,
  ROLLOUT_MANIFEST,
  STORE_MANIFEST,
  STORE_COMPLETION,
  TRAIN_MANIFEST,
  RECORD,
  RUN,
  RESULT,
];

/** The hash of every stage's result, and the files that are there for people. */
async function outcome(name: string): Promise<Record<string, string>> {
  const out = join(suite, name);
  const found: Record<string, string> = {};
  for (const stage of await readdir(join(out, "stages"))) {
    const record = await readFile(join(out, "stages", stage, "stage.json"), "utf8");
    found[stage] = (JSON.parse(record) as { outputHash: string }).outputHash;
  }
  for (const file of ["result.json", "ranking.parquet"]) {
    found[file] = await readFile(join(out, file), "latin1");
  }
  return found;
}

it("runs every kind of stage, and ends with arms beside their controls", async () => {
  const { stages } = await run("whole");
  // A warm-up is made for methods that read along one; test/experiment-methods.test.ts has those.
  const expected = STAGE_KINDS.filter((kind) => kind !== "warmup");
  expect(new Set(stages.map(({ stage }) => stage.kind))).toEqual(new Set(expected));
  const result = await RESULT.read(join(suite, "whole", RESULT.name));
  expect(result.edits.map(({ arm, pairs }) => [arm, pairs])).toEqual([
    [`filter-${MINIATURE_PLANTED}`, MINIATURE_PLANTED],
    [`filter-${MINIATURE_PLANTED}-random`, MINIATURE_PLANTED],
    ["swap-6", 6],
    ["drop-source-10", 24],
  ]);
  const [base, triggered] = result.evaluation!.variants;
  expect([base!.variant, triggered!.variant]).toEqual(["base", "base+distractor"]);
  const filter = triggered!.arms.find(({ arm }) => arm === `filter-${MINIATURE_PLANTED}`)!;
  expect(filter.toBaseline).toBeDefined();
  expect(filter.toControls.map(({ against }) => against)).toEqual([
    `filter-${MINIATURE_PLANTED}-random`,
  ]);
  const { rate, missing } = filter;
  expect(rate.judged + missing).toBe(6 * 3);
  expect(result.evaluation!.measures.filter(({ arm }) => arm === "swap-6")).toHaveLength(4);
  expect(result.methods[0]!.quality).toMatchObject({ planted: MINIATURE_PLANTED, pairs: 80 });
  const audited = stages.find(({ id }) => id === "membership")!;
  const folder = join(suite, "whole", audited.directory);
  const { membership } = await AUDIT.read(join(folder, AUDIT.name));
  expect(membership!.claimed.figures.pairs).toBe(80);
  expect(membership!.heldOut!.figures.pairs).toBe(10);
  const { verdict, remarks } = membership!;
  const prompts = {
    claimed: membership!.claimed.figures.prompts,
    heldOut: membership!.heldOut!.figures.prompts,
  };
  expect(result.membership).toEqual({ verdict, remarks, prompts });
  expect(result.conclusions.join()).toContain(verdict.sentence);
  let measured = 0;
  for await (const { claimed } of readMeasured(join(folder, MEASURED_NAME))) {
    measured += Number(claimed);
  }
  expect(measured).toBe(80);
  expect(result.probe.scenarios!.kept).toBeGreaterThan(0);
  const { heldTo, notHeldTo } = result.methods[0]!.verdict!;
  expect([...heldTo, ...notHeldTo.map(({ behavior }) => behavior)].toSorted()).toEqual([
    "drift",
    "unrelated",
  ]);
  expect(
    result.steering!.map(({ mode, checkpoint, layers }) => [
      mode,
      checkpoint.name,
      layers.map(({ layer, at }) => [layer, at]),
    ]),
  ).toEqual([
    [
      "add",
      "before",
      [
        [1, [1]],
        [2, [2]],
      ],
    ],
    ["project-out", "after", [[undefined, [1, 2]]]],
  ]);
  expect(result.steering!.map(({ shared }) => shared)).toEqual([undefined, undefined]);
  expect(result.layerTable!.rows.map(({ layer, effects }) => [layer, effects.length])).toEqual([
    [1, 2],
    [2, 2],
  ]);
  expect(formatResult(result)).toMatch(/^layer +AUROC .* steering, base +steering, base\+dist/m);
  expect(formatResult(result)).toMatch(/^(layer [12]|no layer) chosen: /m);
  expect(result.conclusions.filter((line) => line.startsWith("Projecting"))).toHaveLength(2);
  expect(result.agreements!.map(({ stage, agreement }) => [stage, agreement.labelled])).toEqual([
    ["judge-after", MINIATURE_LABELS],
    ["evaluation-judge-baseline-seed1", MINIATURE_LABELS],
  ]);
});

it("says of steering on the probe's own scenarios that its effect is not held out", async () => {
  const file = withTrainingSeeds(await readExperiment(await experiment), 1);
  const { steer } = file.experiment;
  const onProbe = { ...steer!, on: "probe" as const, limit: 1000 };
  const lines: string[] = [];
  const out = join(suite, "own-scenarios");
  await cp(join(suite, "whole"), out, { recursive: true });
  const { stages } = await runExperiment(
    { ...file, experiment: { ...file.experiment, steer: onProbe } },
    {
      out,
      until: "steer",
      progress: () => ({ update: () => {}, note: (line) => void lines.push(line), end: () => {} }),
    },
  );
  const said = /^(warning: )?\d+ scenarios are of those that the behaviour was made from/;
  expect(lines).toContainEqual(expect.stringMatching(said));
  const { directory } = stages.find(({ id }) => id === "steer-add")!;
  const report = await readFile(join(out, directory, "steering", "steering.json"), "utf8");
  expect((JSON.parse(report) as { notes: string[] }).notes).toContainEqual(
    expect.stringMatching(said),
  );
});

it("ends in the same bytes when it is stopped again and again", async () => {
  const wanted = await outcome("whole");
  for (const kind of ["train", "embed", "steer", "retrain", "evaluation-generate"] as const) {
    const abort = new AbortController();
    const stopped = run("stopped", {
      signal: abort.signal,
      // In the middle of the stage where it has something to show, else before its work begins.
      onStart: (stage) => void (stage.kind === kind && setTimeout(() => abort.abort(), 30)),
    });
    await stopped.catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
  }
  await run("stopped");
  expect(await outcome("stopped")).toEqual(wanted);
});

it("writes files that their readers take, to the last byte", async () => {
  const out = join(suite, "whole");
  const paths = await readdir(out, { recursive: true });
  for (const artifact of JSON_FILES) {
    const found = paths.filter((path) => basename(path) === artifact.name);
    expect([artifact.name, found.length > 0]).toEqual([artifact.name, true]);
    for (const path of found) {
      const again = join(suite, "again.json");
      await artifact.write(again, (await artifact.read(join(out, path))) as never); // of the same file
      expect(await readFile(again, "utf8")).toBe(await readFile(join(out, path), "utf8"));
    }
  }
});

it("trains every arm with every seed, and draws other random pairs for each", async () => {
  const { stages } = await run("whole", { seeds: 2 });
  const fresh = stages.filter(({ isCached }) => !isCached).map(({ id }) => id);
  expect(fresh.filter((id) => !id.includes("seed2"))).toEqual(["evaluate"]);
  const random = await Promise.all(
    stages
      .filter(({ id }) => id.startsWith("edit-") && id.includes("random"))
      .map(({ directory }) => readFile(join(suite, "whole", directory, "edit.json"), "utf8")),
  );
  const [first, second] = random.map((text) => (JSON.parse(text) as { ids: string[] }).ids);
  expect(first).not.toEqual(second);
  const result = await RESULT.read(join(suite, "whole", RESULT.name));
  expect(result.evaluation!.variants[1]!.arms.map(({ rate }) => rate.seeds)).toEqual([
    1, 2, 2, 2, 2, 2,
  ]);
});
