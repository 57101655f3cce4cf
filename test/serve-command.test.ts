/** `culprit report --serve` and `culprit run --serve` as a user gives them: the address, what it answers while a run is at work, the end. */
import type { ChildProcess } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, expect, it, vi } from "vitest";

import { headLine } from "../src/edit/decisions.ts";
import type { QueuePlace, RunProgress } from "../src/report/report-source.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { type CliResult, runCli } from "./support/run-cli.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const suite = suiteFolder();
const folder = join(suite, "experiment");
const run = join(folder, "run");
let experiment: string;

beforeAll(async () => {
  experiment = await makeMiniatureExperiment(folder, { judge: "{ rules: rules.yaml }" });
});

/** A command that serves, once it has told its address. */
async function start(
  words: readonly string[],
): Promise<{ url: string; child: ChildProcess; ended: Promise<CliResult> }> {
  let child: ChildProcess | undefined;
  let told = "";
  const { promise, resolve, reject } = withResolvers<string>();
  const ended = runCli(words, {
    onStart: (started) => {
      child = started;
      started.stderr!.on("data", (text: string) => {
        told += text;
        const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(told) ?? [];
        if (url !== undefined) resolve(url);
      });
      started.on("close", () => reject(new Error(told)));
    },
  });
  return { url: await promise, child: child!, ended };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

async function get<T>(url: string, path: string): Promise<T> {
  const answer = await fetch(`${url}api/${path}`);
  return (await answer.json()) as T;
}

const status = async (url: string, path: string): Promise<number> =>
  (await fetch(`${url}api/${path}`)).status;

it("serves a run from before its first stage, shows how far it is, fills as stages end, and stays", async () => {
  const { url, child, ended } = await start(["run", experiment, "--out", run, "--serve"]);
  expect((await fetch(url)).status).toBe(200);
  const seen: RunProgress[] = [];
  const summaries = new Set<number>();
  for (;;) {
    const progress = await get<RunProgress>(url, "progress");
    seen.push(progress);
    summaries.add(await status(url, "summary"));
    if (progress.state === "done" && (await status(url, "result")) === 200) break;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  summaries.add(await status(url, "summary"));
  expect(["waiting", "running"]).toContain(seen[0]!.state);
  expect(new Set(seen.map(({ version }) => version)).size).toBeGreaterThan(3);
  const doneOf = ({ stages }: RunProgress): number =>
    stages.filter(({ state }) => state === "done").length;
  const done = seen.map(doneOf);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(done.at(-1)).toBe(seen.at(-1)!.stages.length);
  expect(summaries).toEqual(new Set([404, 200])); // nothing ranked, then the ranking
  expect(seen.at(-1)!.total.tokens).toBeGreaterThan(0);
  await vi.waitFor(async () => expect(await status(url, "part?name=overview")).toBe(200));
  child.kill("SIGINT");
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(130);
  expect(stdout).toContain("result.json");
  expect(stderr).toContain("stays until Ctrl-C");
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  expect((await readdir(join(run, "cache"))).filter((name) => name.startsWith(".report-"))).toEqual(
    [],
  );
});

it("serves a finished run until it is stopped, keeps decisions through a kill, and clears up after it", async () => {
  const first = await start(["report", run, "--serve"]);
  const place = await get<QueuePlace>(first.url, "queue?k=5");
  const { id } = place.decision!;
  const answer = await fetch(`${first.url}api/decision`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, decision: "drop", note: "seen" }),
  });
  expect(answer.status).toBe(200);
  first.child.kill("SIGKILL");
  await first.ended;
  // As a crash in the middle of a line would leave it.
  const file = join(run, "decisions.jsonl");
  await writeFile(file, `${await readFile(file, "utf8")}{"id":"`);
  const second = await start(["report", run, "--serve"]);
  expect(await get(second.url, "queue?k=5")).toMatchObject({
    decided: 1,
    open: 1,
    decision: { id, decision: "drop", note: "seen" },
  });
  expect(await get(second.url, "review")).toMatchObject({ torn: 7, counts: { drop: 1 } });
  const left = (await readdir(join(run, "cache"))).filter((name) => name.startsWith(".report-"));
  expect(left).toHaveLength(1); // the second's own
  const { port } = new URL(second.url);
  const taken = await runCli(["report", run, "--serve", "--port", port]);
  expect(taken).toMatchObject({ code: 1, stdout: "" });
  expect(taken.stderr).toContain(`port ${port}: cannot be listened on (EADDRINUSE)`);
  second.child.kill("SIGTERM");
  expect(await second.ended).toMatchObject({ code: 143 });
});

it("refuses at its start a file that has no decisions on its pairs, and leaves it", async () => {
  const file = join(run, "..", "others.jsonl");
  for (const [text, message] of [
    ['{"id":1}\n', "expected the decisions of a review, got something else"],
    [headLine("others"), "expected decisions of these pairs, got those of others"],
  ] as const) {
    await writeFile(file, text);
    const { code, stderr } = await runCli(["report", run, "--serve", "--decisions", file]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}: ${message}`);
    expect(await readFile(file, "utf8")).toBe(text);
  }
});

it.each([
  [["report", "RUN"], "--out: expected a place for the report, or serve"],
  [["report", "RUN", "--serve", "--out", "x"], "--out: expected none beside serve"],
  [["report", "RUN", "--serve", "--single-file"], "--single-file: expected none beside serve"],
  [["report", "RUN", "--out", "x", "--port", "80"], "--port: expected serve with it"],
  [["report", "RUN", "--out", "x", "--decisions", "d"], "--decisions: expected serve with it"],
  [["report", "nowhere", "--serve"], "nowhere: expected the folder of an experiment"],
  [["run", "x.yaml", "--port", "80"], "--port: expected --serve with it"],
  [["run", "x.yaml", "--serve", "--dry-run"], "--serve: expected a run with it, got --dry-run"],
  [["run", "x.yaml", "--serve", "--port", "0"], "--port: expected a whole number from 1 to 65535"],
])("refuses %j", async (words, message) => {
  const { code, stderr } = await runCli(words.map((word) => word.replace("RUN", run)));
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
