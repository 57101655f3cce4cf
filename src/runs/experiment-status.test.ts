import { mkdir, mkdtemp } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { NO_COST } from "../engine/cost.ts";
import { readExperimentStatus } from "./experiment-status.ts";
import { RUN } from "./run-manifest.ts";
import { type StageWorking, WORKING } from "./stage-record.ts";

const DIRECTORY = "stages/embed-0123456789ab";

/** The folder of an experiment with one stage that somebody works, or worked, on. */
async function experimentAtWork(
  host: string,
  secondsAgo: number,
  shown: Partial<StageWorking> = {},
): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), "culprit-"));
  await mkdir(join(out, DIRECTORY), { recursive: true });
  await RUN.write(join(out, RUN.name), {
    format: "culprit-run",
    name: "one",
    experimentFile: "one.yaml",
    experimentSha256: "",
    experiment: { cost: { currency: "EUR" } },
    inputs: {},
    software: {},
    machine: { cpu: "unknown", cores: 1 },
    startedAt: "2026-01-01T00:00:00.000Z",
    stages: [{ id: "embed", kind: "embed", name: "", directory: DIRECTORY }],
    total: NO_COST,
  });
  const updatedAt = new Date(Date.now() - 1000 * secondsAgo).toISOString();
  // A process that is there on this machine; on another one its number means nothing.
  await WORKING.write(join(out, DIRECTORY, WORKING.name), {
    pid: process.pid,
    host,
    cost: NO_COST,
    updatedAt,
    ...shown,
  });
  return out;
}

test.each([
  ["this machine", hostname(), 3600, "running"],
  ["another machine, with a sign of life", `not-${hostname()}`, 5, "running"],
  ["another machine, silent for an hour", `not-${hostname()}`, 3600, "interrupted"],
])("a stage of a process on %s", async (_where, host, secondsAgo, state) => {
  const { stages } = await readExperimentStatus(await experimentAtWork(host, secondsAgo));
  expect(stages.map((stage) => stage.state)).toEqual([state]);
});

test("a running stage shows how far and how fast it is", async () => {
  const shown = { unit: "pairs", done: 12, total: 40, rate: 4 };
  const { stages } = await readExperimentStatus(await experimentAtWork(hostname(), 1, shown));
  expect(stages).toMatchObject([{ state: "running", ...shown }]);
});
