/** The command of reports: what it refuses, what it says, and that nothing of the machine reaches the page. */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { beforeAll, expect, it, vi } from "vitest";

import { readExperiment } from "../src/experiment/read-experiment.ts";
import { runExperiment } from "../src/experiment/run-experiment.ts";
import { FORECAST } from "../src/forecast/forecast-file.ts";
import { AUDIT } from "../src/pairs/audit-report.ts";
import { makeReport } from "../src/report/make-report.ts";
import type { PairTable } from "../src/report/pair-table.ts";
import type { PairDetail } from "../src/report/report-source.ts";
import { RUN } from "../src/runs/run-manifest.ts";
import { serveReport } from "../src/serve/serve-report.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { runCli } from "./support/run-cli.ts";
import { makeScoredForecast } from "./support/scored-forecast.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const suite = suiteFolder();
const folder = join(suite, "where it was made");
const run = join(folder, "run");
const KEY = "a-key-of-mine-91827364";

beforeAll(async () => {
  // Settings with absolute paths, and a run with a key in its environment.
  process.env["MY_SERVICE_KEY"] = KEY;
  const path = await makeMiniatureExperiment(folder, {
    pairs: `{ files: ["${join(folder, "pairs.jsonl")}"], planted: planted }`,
    steer: undefined,
    capabilities: undefined,
    edits: "[{ action: filter, top: planted }]",
    judge: "{ rules: rules.yaml }",
  });
  const pairs = (await readFile(join(folder, "pairs.jsonl"), "utf8")).split("\n");
  const first = JSON.parse(pairs[0]!) as { chosen: string };
  pairs[0] = JSON.stringify({ ...first, chosen: `${first.chosen} ${KEY} ${folder}/x` });
  await writeFile(join(folder, "pairs.jsonl"), pairs.join("\n"));
  await runExperiment(await readExperiment(path), { out: run });
});

/** Every file of a report as one text. */
async function textOf(report: string): Promise<string> {
  const names = await readdir(report, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile());
  const texts = await Promise.all(
    files.map((each) => readFile(join(each.parentPath, each.name), "utf8")),
  );
  return texts.join("\n");
}

/** One file of a report's data. */
async function readData(report: string, name: string): Promise<unknown> {
  const script = await readFile(join(report, "data", `${name}.js`), "utf8");
  const [, json = ""] = /^culpritData\("[^"]*",(".*")\);\n$/s.exec(script)!; // names may hold U+2028
  return JSON.parse(JSON.parse(json) as string);
}

it("refuses a forecast of other pairs or of another checkpoint, on disk and from the server", async () => {
  const scored = await makeScoredForecast(run);
  const { pairs, checkpoint } = scored;
  const foreign = [
    [{ ...scored, pairs: { ...pairs, contentHash: "x" } }, "one of the pairs of the run"],
    [{ ...scored, checkpoint: { ...checkpoint, checkpointHash: "x" } }, "checkpoint before"],
  ] as const;
  for (const [forecast, message] of foreign) {
    await expect(makeReport(run, { out: join(suite, "foreign"), forecast })).rejects.toThrow(
      message,
    );
    await expect(serveReport(run, { forecast, warn: () => {} })).rejects.toThrow(message);
  }
  const path = join(suite, "forecast.json");
  await FORECAST.write(path, scored);
  const out = join(suite, "with forecast");
  const made = await runCli(["report", run, "--out", out, "--tokens", "0", "--forecast", path]);
  expect(made).toMatchObject({ code: 0 });
  expect(await readData(out, "forecast")).toMatchObject({
    behaviors: scored.behaviors.map(({ name }) => ({ name })),
    score: { heldOut: 12 },
  });
  const { hasForecast } = (await readData(out, "overview")) as { hasForecast: boolean };
  expect(hasForecast).toBe(true);
});

it("writes a folder that opens from disk, and says how; nothing in it is of this machine", async () => {
  const report = join(suite, "report");
  const made = await runCli(["report", run, "--out", report]);
  expect(made).toMatchObject({ code: 0 });
  expect(made.stdout).toMatch(
    /80 of 80 pairs, 80 with their text\nopen it in a browser: file:\/\//,
  );
  const text = await textOf(report);
  expect(text).toContain("pairs.jsonl"); // it was looked at
  for (const secret of [KEY, suite, folder, "where it was made", process.cwd(), homedir()]) {
    // A home one folder below the root is a word that settings do not hold as a path.
    expect({ secret, isThere: text.includes(`${secret}/`) }).toEqual({ secret, isThere: false });
  }
  expect(text).not.toContain(KEY);
});

it("shades tokens whose shares add up to the score that was ranked by", async () => {
  const report = join(suite, "shaded");
  expect(await runCli(["report", run, "--out", report, "--tokens", "30"])).toMatchObject({
    code: 0,
  });
  const table = (await readData(report, "pairs")) as PairTable;
  const details = (await readData(report, "texts-0")) as readonly PairDetail[];
  const shaded = details.filter(({ tokens }) => tokens !== undefined);
  expect(shaded).toHaveLength(30);
  for (const { id, tokens, chosen } of shaded) {
    const score = table.scores[0]![table.ids.indexOf(id)]!;
    // Scores are of vectors that the store rounded to half precision.
    expect(Math.abs(tokens!.sum - score)).toBeLessThan(1e-3);
    // What must not be seen is masked letter by letter here, so that every token keeps its place.
    const [known = ""] = chosen[0]!.content.split("[redacted]");
    expect(tokens!.chosen.text.trim().startsWith(known)).toBe(true);
    const letters = tokens!.chosen.lengths.reduce((total, length) => total + length, 0);
    expect(tokens!.chosen.text).toHaveLength(letters);
    const { shares, lengths } = tokens!.rejected;
    expect(shares).toHaveLength(lengths.length);
    const all = [...tokens!.chosen.shares, ...shares];
    const sum = all.reduce((total, share) => total + share, 0);
    expect(Math.abs((sum / 1000) * tokens!.largest - tokens!.sum)).toBeLessThan(0.02);
  }
});

it("does not replace a report unless it is forced, and never anything else", async () => {
  const out = join(suite, "twice");
  expect(await runCli(["report", run, "--out", out])).toMatchObject({ code: 0 });
  const again = await runCli(["report", run, "--out", out]);
  expect(again).toMatchObject({ code: 2, stdout: "" });
  expect(again.stderr).toContain("exists already");
  expect(await runCli(["report", run, "--out", out, "--force"])).toMatchObject({ code: 0 });
  const other = join(suite, "other");
  await mkdir(other);
  await writeFile(join(other, "precious.txt"), "mine");
  const refused = await runCli(["report", run, "--out", other, "--force"]);
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain("expected a new place or an earlier report");
  expect(await readdir(other)).toEqual(["precious.txt"]);
  expect(await runCli(["report", run, "--out", run, "--force"])).toMatchObject({ code: 2 });
  // Before anything of the run is read.
  for (const [place, message] of [
    [out, "exists already"],
    [other, "expected a new place or an earlier report"],
    [join(other, "precious.txt", "report"), "got one beneath the file"],
  ] as const) {
    await expect(makeReport(join(suite, "none"), { out: place })).rejects.toThrow(message);
  }
});

it("goes without text where the pairs have moved, and takes it from where they are", async () => {
  const moved = join(suite, "moved.jsonl");
  const copy = join(suite, "copied run");
  await cp(run, copy, { recursive: true });
  const manifest = join(copy, "run.json");
  const text = await readFile(manifest, "utf8");
  await writeFile(
    manifest,
    text.replaceAll(join(folder, "pairs.jsonl"), join(suite, "gone.jsonl")),
  );
  await cp(join(folder, "pairs.jsonl"), moved);
  const without = await runCli(["report", copy, "--out", join(suite, "without")]);
  expect(without).toMatchObject({ code: 0 });
  expect(without.stdout).toContain("80 of 80 pairs, 0 with their text");
  expect(without.stderr).toContain("--pairs names the files");
  const given = await runCli(["report", copy, "--out", join(suite, "given"), "--pairs", moved]);
  expect(given.stdout).toContain("80 with their text");
  await writeFile(moved, (await readFile(moved, "utf8")).replace("yes", "no"));
  const wrong = await runCli(["report", copy, "--out", join(suite, "wrong"), "--pairs", moved]);
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.stderr).toContain("expected the pairs that the run ranked, got others");
});

it("shows what is there of a run that has not ended", async () => {
  const begun = join(suite, "begun");
  await cp(run, begun, { recursive: true });
  await rm(join(begun, "result.json"));
  const manifest = JSON.parse(await readFile(join(begun, "run.json"), "utf8")) as {
    stages: { id: string; kind: string; cost?: object }[];
  };
  for (const stage of manifest.stages) {
    if (!["audit", "train", "generate"].includes(stage.kind)) delete stage.cost;
  }
  await writeFile(join(begun, "run.json"), JSON.stringify(manifest));
  const made = await runCli(["report", begun, "--out", join(suite, "part")]);
  expect(made).toMatchObject({ code: 0 });
  expect(made.stderr).toMatch(/the run has not ended, \d+ stages are missing/);
  expect(await textOf(join(suite, "part"))).toContain("The run has not ended");
});

it("names what is no run", async () => {
  const none = await runCli(["report", suite, "--out", join(suite, "x")]);
  expect(none).toMatchObject({ code: 2, stdout: "" });
  expect(none.stderr).toContain("expected the folder of an experiment, got one without run.json");
});

it("names the command that mends a file of an earlier version", async () => {
  const old = join(suite, "old");
  await cp(run, old, { recursive: true });
  const change = async (name: string, text: string): Promise<void> =>
    writeFile(join(old, name), text);
  const stage = (await readdir(join(old, "stages"))).find((name) => name.startsWith("audit-"))!;
  await change(join("stages", stage, AUDIT.name), '{"format":"of-before"}');
  const refused = await runCli(["report", old, "--out", join(suite, "old-report")]);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain(join("stages", stage, AUDIT.name));
  const { experimentFile } = await RUN.read(join(run, "run.json"));
  expect(refused.stderr).toContain(
    `It may be of an earlier version of Culprit: culprit run ${experimentFile} --out ${old} --force-stage audit makes it again.`,
  );
  await change("run.json", '{"format":"culprit-run","name":"x"}');
  const manifest = await runCli(["report", old, "--out", join(suite, "old-report")]);
  expect(manifest.stderr).toContain(
    `culprit run EXPERIMENT.yaml --out ${old} writes it anew, and keeps finished stages.`,
  );
});
