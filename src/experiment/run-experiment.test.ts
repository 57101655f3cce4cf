import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { jsonLines } from "../../test/support/data-files.ts";
import { expectFailure } from "../../test/support/errors.ts";
import { randomPairs } from "../../test/support/random-pairs.ts";
import {
  smallExperiment as makeSmallExperiment,
  trainingSections,
  writeExperiment as writeSmallExperiment,
} from "../../test/support/small-experiment.ts";
import { suiteFolder } from "../../test/support/suite-folder.ts";
import { type DecisionKind, decisionLine, headLine } from "../edit/decisions.ts";
import { openPairs } from "../pairs/open-pairs.ts";
import { headline } from "../report/headline.ts";
import { readExperimentStatus } from "../runs/experiment-status.ts";
import { RESULT } from "../runs/result.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { lockForWriting } from "../util/writer-lock.ts";
import { readExperiment } from "./read-experiment.ts";
import { type ExperimentRun, runExperiment, type RunExperimentOptions } from "./run-experiment.ts";

const suite = suiteFolder();

const smallExperiment = (): Promise<string> => makeSmallExperiment(suite);
const writeExperiment = (folder: string, more: string[] = []): Promise<void> =>
  writeSmallExperiment(suite, folder, more);

async function run(
  folder: string,
  options: Partial<RunExperimentOptions> = {},
): Promise<ExperimentRun> {
  const file = await readExperiment(join(folder, "experiment.yaml"));
  return runExperiment(file, { out: join(folder, "out"), ...options });
}

const made = ({ stages }: ExperimentRun): string[] =>
  stages.filter(({ isCached }) => !isCached).map(({ id }) => id);

it("makes what is asked for, then the rest, then nothing; and what a changed setting reaches", async () => {
  const folder = await smallExperiment();
  expect(made(await run(folder, { until: "embed" }))).toEqual(["audit", "embed"]);
  const half = await readExperimentStatus(join(folder, "out"));
  expect(half.stages.map(({ state }) => state)).toEqual(["done", "missing", "done", "missing"]);
  expect(made(await run(folder))).toEqual(["behavior", "rank"]);
  expect(made(await run(folder))).toEqual([]);
  expect(made(await run(folder, { force: ["rank"] }))).toEqual(["rank"]);
  await writeExperiment(folder, ["rank: { methods: [{ scorer: projection }] }"]);
  expect(made(await run(folder))).toEqual(["rank"]);
  await writeFile(join(folder, "pairs.jsonl"), jsonLines(randomPairs(41)));
  expect(made(await run(folder))).toEqual(["audit", "embed", "rank"]);
});

it("reads pairs in two passes where it is asked to, and says so in its conclusions", async () => {
  const folder = await smallExperiment();
  await run(folder);
  await writeExperiment(folder, ["refine: { top: 4, audit: 20 }"]);
  const twice = await run(folder);
  expect(made(twice)).toEqual(["embed-first", "embed", "rank"]);
  const result = await RESULT.read(join(folder, "out", RESULT.name));
  const [method] = result.methods;
  expect(method!.refined).toMatchObject({ precision: "W8A8", top: { pairs: 4 } });
  expect(result.conclusions.join("\n")).toMatch(
    /ranking by probe is of two passes: \d+ vectors are exact, the others of W8A8/,
  );
  expect(made(await run(folder))).toEqual([]);
  for (const [section, message] of [
    ["refine: { scorer: projection }", /refine\.scorer .*expected cosine, by which rank\.methods/],
    [
      "refine: {}\nrank: { methods: [{ name: length }] }",
      /refine .*expected a method .* that reads states/,
    ],
  ] as const) {
    await writeExperiment(folder, [section]);
    await expect(run(folder)).rejects.toThrow(message);
  }
});

it("gives the same files wherever it lies, none of them with a path of this machine, and times only in records", async () => {
  const [first, second] = [await smallExperiment(), await smallExperiment()];
  for (const folder of [first, second]) await run(folder);
  const stages = join("out", "stages");
  const names = (await readdir(join(first, stages), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== "stage.json")
    .map((entry) => join(entry.parentPath.slice(first.length), entry.name));
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) {
    const bytes = await readFile(join(first, name));
    const isSame = bytes.equals(await readFile(join(second, name)));
    const hasPath = bytes.includes(first) || bytes.includes(suite);
    expect({ name, isSame, hasPath }).toEqual({ name, isSame: true, hasPath: false });
  }
});

it("counts what it cost, in money where there is a price", async () => {
  const folder = await smallExperiment();
  await writeExperiment(folder, ["cost: { pricePerHour: 3600 }"]);
  const { manifest } = await run(folder);
  const embed = manifest.stages.find(({ kind }) => kind === "embed")!.cost!;
  expect(embed.tokens).toBeGreaterThan(1000);
  // Two blocks of 32 x 8 x (2 x 4 + 2 x 2) + 3 x 32 x 48 weights.
  expect(embed.flops).toBe(embed.tokens * 2 * 2 * (32 * 8 * 12 + 3 * 32 * 48));
  expect(embed.money).toBeCloseTo(embed.seconds, 9);
  expect(manifest.total.seconds).toBeGreaterThan(embed.seconds);
});

it("refuses a folder that another run is writing", async () => {
  const folder = await smallExperiment();
  await mkdir(join(folder, "out"));
  await using _lock = await lockForWriting(join(folder, "out"));
  const error = await expectFailure(run(folder), RuntimeError);
  expect(error.message).toMatch(/is writing this experiment/);
});

it("shows stages behind --until that were done before, and none that its inputs no longer lead to", async () => {
  const folder = await smallExperiment();
  const states = async (): Promise<string> => {
    const { stages } = await readExperimentStatus(join(folder, "out"));
    return stages.map(({ state }) => state).join(" ");
  };
  const whole = await run(folder);
  const { manifest } = await run(folder, { until: "audit" });
  expect(await states()).toBe("done done done done");
  expect(manifest.total.tokens).toBe(whole.manifest.total.tokens);
  await run(folder, { until: "embed", force: ["embed"] });
  expect(await states()).toBe("done done done done");
  await writeFile(join(folder, "pairs.jsonl"), jsonLines(randomPairs(41)));
  await run(folder, { until: "audit" });
  expect(await states()).toBe("done done missing missing");
  const abort = new AbortController();
  abort.abort();
  await expect(run(folder, { signal: abort.signal })).rejects.toThrow(/abort/i);
  expect(await states()).toBe("done done missing missing");
});

it("keeps a finished result where a shorter run makes nothing anew, and drops it where it does", async () => {
  const folder = await smallExperiment();
  await run(folder);
  const result = join(folder, "out", "result.json");
  const before = await readFile(result, "utf8");
  await run(folder, { until: "embed" });
  expect(await readFile(result, "utf8")).toBe(before);
  await writeFile(join(folder, "pairs.jsonl"), jsonLines(randomPairs(41)));
  await run(folder, { until: "embed" });
  await expect(readFile(result)).rejects.toThrow(/ENOENT/);
});

it("never leaves a result of one setting beside files of another, also where all stages are there", async () => {
  const folder = await smallExperiment();
  const out = join(folder, "out");
  const table = (): string => "of the result";
  const left = async (): Promise<string[]> =>
    (await readdir(out)).filter((name) => /^(?:result|table|ranking)/.test(name)).toSorted();
  const rankingHash = (): Promise<string> => hashFile(join(out, "ranking.parquet"));
  const all = ["ranking.parquet", "result.json", "table.txt"];

  await run(folder, { table });
  expect(await left()).toEqual(all);
  const first = await rankingHash();
  const formula = async (): Promise<string> =>
    (await RESULT.read(join(out, "result.json"))).methods[0]!.formula;
  const firstFormula = await formula();
  const more = ["rank: { methods: [{ scorer: projection }] }"];
  for (let time = 0; time < 2; time++) {
    // The second time every stage of both is there already.
    await writeExperiment(folder, more);
    await run(folder, { until: "rank", table });
    expect(await formula()).not.toBe(firstFormula);
    expect(await rankingHash()).not.toBe(first);
    await writeExperiment(folder);
    await run(folder, { until: "embed", table });
    expect(await rankingHash()).toBe(first);
    expect(await formula()).toBe(firstFormula);
    expect(await left()).toEqual(all);
  }

  // Where not all of the other setting is there, nothing of the first is left; neither where the run never ends.
  await writeExperiment(folder, ["embed: { maxTokens: 9 }"]);
  await run(folder, { until: "audit", table });
  expect(await left()).toEqual([]);
  await writeExperiment(folder);
  await run(folder, { table });
  await writeExperiment(folder, ["embed: { maxTokens: 9 }"]);
  const abort = new AbortController();
  const onStart = (): void => abort.abort(new Error("stopped"));
  const stopped = run(folder, { table, signal: abort.signal, force: ["audit"], onStart });
  await expect(stopped).rejects.toThrow("stopped");
  expect(await left()).toEqual([]);
});

it("ranks without training where the responses are given, and keeps what each stage has to show", async () => {
  const folder = await smallExperiment();
  await writeExperiment(folder, await trainingSections(folder));
  const ranked = await run(folder, { until: "rank" });
  expect(made(ranked)).toEqual(["audit", "behavior", "embed", "rank"]);
  const shown = ranked.stages.at(-1)!.record.shown!;
  expect(shown).toMatch(/^40 pairs ranked by probe/);
  expect(shown).toMatch(/^verdict: /m);
  // Whatever is there already has it too, and no path of the folder it was made in.
  const again = await run(folder, { until: "rank" });
  expect(again.stages.at(-1)!.record.shown).toBe(shown);
  for (const { record } of ranked.stages) expect(record.shown).not.toContain(folder);
  expect(made(await run(folder, { until: "edit-filter-3" }))).toEqual(["edit-filter-3"]);
  const unknown = await expectFailure(run(folder, { until: "tarin" }), ConfigError);
  expect(unknown.message).toBe("until: expected stages of this experiment, got tarin");
});

it("leaves a folder alone that is not its own", async () => {
  const folder = await smallExperiment();
  const foreign = join(folder, "out", "result.json");
  await mkdir(join(folder, "out"));
  await writeFile(foreign, "precious");
  const strange = await expectFailure(run(folder), ConfigError);
  expect(strange.message).toMatch(/one that holds "result.json" and no run.json/);
  expect(await readFile(foreign, "utf8")).toBe("precious");
  const manifest = { format: "culprit-run", name: "another" };
  await writeFile(join(folder, "out", "run.json"), JSON.stringify(manifest));
  const other = await expectFailure(run(folder), ConfigError);
  expect(other.message).toMatch(/expected the experiment small, got the experiment another/);
  expect(await readFile(foreign, "utf8")).toBe("precious");
});

it("names the setting whose file is missing or does not fit", async () => {
  const folder = await smallExperiment();
  for (const [more, message] of [
    [
      ["rank: { layer: 3 }"],
      /rank\.layer \(line 6\): expected one of behavior\.layers \(1, 2\), got 3/,
    ],
    [["pairs: { files: [nowhere.jsonl] }"], /^pairs\.files: .*nowhere\.jsonl: no such file/],
    [["responses: nowhere.jsonl"], /^responses: nowhere\.jsonl: no such file$/],
    [
      ["behavior: { layers: [9] }"],
      /^behavior\.layers: the checkpoint before has layers 0 to 3, got 9/,
    ],
  ] as const) {
    await writeExperiment(folder, [...more]);
    const path = join(folder, "experiment.yaml");
    const lines = (await readFile(path, "utf8")).split("\n");
    const key = more[0].split(":")[0]!;
    // The last one of a repeated key is the one meant.
    await writeFile(
      path,
      lines.filter((line, i) => !line.startsWith(`${key}:`) || i === lines.length - 1).join("\n"),
    );
    expect((await expectFailure(run(folder), ConfigError)).message).toMatch(message);
  }
});

it.each([
  [
    "{ action: filter, top: [3, 40] }",
    "edits[0].top: expected at most 39 of the 40 usable pairs, so that some are left, got 40",
  ],
  ["{ action: swap, top: 41 }", "edits[0].top: expected at most 40 of the 40 usable pairs, got 41"],
  [
    "{ action: drop-source, top: 5, sources: [nowhere] }",
    'edits[0].sources: expected sources of the pairs, got "nowhere"',
  ],
])("finds the edit %s that the pairs do not allow right after the audit", async (edit, message) => {
  const folder = await smallExperiment();
  await writeFile(join(folder, "scenarios.jsonl"), jsonLines([{ id: "a", base: "b" }]));
  await writeExperiment(folder, [
    `edits: [${edit}]`,
    "train: { learningRate: 1e-3 }",
    "judge: { rules: refusal }",
    "evaluate: { scenarios: scenarios.jsonl, variants: [base], trigger: base }",
  ]);
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await expectFailure(run(folder), ConfigError);
    expect(error.message).toBe(message);
  }
  const { stages } = await readExperimentStatus(join(folder, "out"));
  expect(stages.filter(({ state }) => state !== "missing").map(({ id }) => id)).toEqual(["audit"]);
});

/** A file of decisions on pairs of the small experiment. */
async function decide(
  folder: string,
  kinds: Readonly<Record<string, DecisionKind>>,
): Promise<void> {
  const lines = Object.entries(kinds).map(([id, decision]) =>
    decisionLine({ id, decision, note: "" }),
  );
  const { contentHash } = await openPairs([join(folder, "pairs.jsonl")]);
  await writeFile(join(folder, "decisions.jsonl"), headLine(contentHash) + lines.join(""));
}

const ON_DECISIONS = [
  "edits: [{ decisions: decisions.jsonl }]",
  "train: { learningRate: 1e-3 }",
  "judge: { rules: refusal }",
  "generate: { rollouts: 2, maxTokens: 4 }",
  "evaluate: { scenarios: scenarios.jsonl, variants: [base], trigger: base }",
];

it("trains on what people decided, beside as much done to as many random pairs", async () => {
  const folder = await smallExperiment();
  await writeFile(join(folder, "scenarios.jsonl"), jsonLines([{ id: "a", base: "b" }]));
  const [a, b, c, d] = randomPairs(40).map(({ id }) => id) as [string, string, string, string];
  await decide(folder, { [a]: "drop", [b]: "swap", [c]: "keep", [d]: "drop" });
  await writeExperiment(folder, ON_DECISIONS);
  await run(folder);
  const result = await RESULT.read(join(folder, "out", RESULT.name));
  expect(
    result.edits.map(({ arm, action, pick, method, top, pairs, controls }) => [
      arm,
      [action, pick, method, top, pairs],
      controls,
    ]),
  ).toEqual([
    ["review", ["review", "chosen", undefined, undefined, 3], ["review-random"]],
    ["review-random", ["review", "random", undefined, undefined, 3], []],
  ]);
  expect(result.evaluation!.variants[0]!.arms.map(({ arm }) => arm)).toEqual([
    "before",
    "baseline",
    "review",
    "review-random",
  ]);
  expect(headline(result).sentence).toContain(
    "with the 3 pairs dropped or swapped that people decided on",
  );
  // A note changes the file, and nothing that is trained.
  await appendFile(
    join(folder, "decisions.jsonl"),
    decisionLine({ id: c, decision: "keep", note: "fine" }),
  );
  expect(made(await run(folder))).toEqual(["edit-review", "edit-review-random-seed1"]);
});

it("refuses decisions on other pairs before any stage", async () => {
  const folder = await smallExperiment();
  await writeFile(join(folder, "scenarios.jsonl"), jsonLines([{ id: "a", base: "b" }]));
  await decide(folder, { nobody: "drop" });
  await writeExperiment(folder, ON_DECISIONS);
  const error = await expectFailure(run(folder), ConfigError);
  expect(error.message).toBe(
    'edits[0].decisions: decisions.jsonl: expected decisions on these pairs, got 1 on others, the first "nobody"',
  );
});

it.each([
  ["before", ""],
  ["after", "AFTER"],
])(
  "refuses to project out past the layers of the checkpoint %s before any stage",
  async (name, given) => {
    const folder = await smallExperiment();
    await writeFile(join(folder, "scenarios.jsonl"), jsonLines([{ id: "a", base: "b" }]));
    await writeExperiment(folder, [
      "train: { learningRate: 1e-3 }",
      "judge: { rules: refusal }",
      "evaluate: { scenarios: scenarios.jsonl, variants: [base], trigger: base }",
      "steer: { modes: [project-out], projectOutAt: [1, 9] }",
    ]);
    if (given !== "") {
      const path = join(folder, "experiment.yaml");
      const text = await readFile(path, "utf8");
      const sft = join(suite, "sft");
      await writeFile(path, text.replace(`before: ${sft}`, `before: ${sft}, after: ${sft}`));
    }
    const error = await expectFailure(run(folder), ConfigError);
    expect(error.message).toBe(
      `steer.projectOutAt: the checkpoint ${name} has layers 0 to 3, got 9`,
    );
    expect(error.hint).toMatch(/from 0 to 3/);
    await expect(readdir(join(folder, "out", "stages"))).rejects.toThrow(/ENOENT/);
  },
);

it("can be looked at at any moment: no look fails, and no stage that was done is ever missing", async () => {
  const folder = await smallExperiment();
  const running = run(folder);
  const look = { isOver: false };
  const over = running.finally(() => {
    look.isOver = true;
  });
  const seen = new Set<string>();
  let most = 0;
  while (!look.isOver) {
    await new Promise((resolve) => void setImmediate(resolve));
    if (!existsSync(join(folder, "out", "run.json"))) continue;
    const { stages } = await readExperimentStatus(join(folder, "out"));
    for (const { state } of stages) seen.add(state);
    const done = stages.filter(({ state }) => state === "done").length;
    expect(done).toBeGreaterThanOrEqual(most);
    most = done;
  }
  await over;
  expect(most).toBeGreaterThan(0);
  expect(seen).toContain("running");
});
