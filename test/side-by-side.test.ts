/** @file Stages that run side by side leave what they leave one after another, killed and stopped ones too. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { describe, expect, it, vi } from "vitest";

import { createThreadHost } from "../src/engine/threads/thread-host.ts";
import { RECORD } from "../src/runs/stage-record.ts";
import { packageFile } from "../src/util/package-file.ts";
import { ENGINE_CONTRACT } from "./support/engine-contract.ts";
import { type CliResult, runCli } from "./support/run-cli.ts";
import { smallExperiment, trainingSections, writeExperiment } from "./support/small-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000 });

const suite = suiteFolder();

describe("the local engine in threads", () => {
  it.each(ENGINE_CONTRACT)("$title", async (check) => {
    await using host = createThreadHost({ file: packageFile("dist/engine/thread.js"), threads: 1 });
    await expect(check.run(host)).resolves.toBeUndefined();
  });
});

/** Runs an experiment with three arms and two seeds in the folder `name`. */
async function run(
  folder: string,
  name: string,
  { stages = 3, stop }: { stages?: number; stop?: NodeJS.Signals } = {},
): Promise<CliResult> {
  const sections = (await trainingSections(folder)).map((line) =>
    line.startsWith("train:") ? "train: { learningRate: 1e-3, epochs: 8, seeds: [1, 2] }" : line,
  );
  await writeExperiment(suite, folder, [...sections, `engine: { threads: 1, stages: ${stages} }`]);
  const out = join(folder, name);
  const result = runCli(["run", join(folder, "experiment.yaml"), "--out", out], {
    onStart: (child) => {
      if (stop === undefined) return;
      const look = async (): Promise<void> => {
        while (child.exitCode === null && (await atWork(out)) < 2) await setTimeout(5);
        child.kill(stop);
      };
      void look();
    },
  });
  return result;
}

/** Stages that have begun and not ended. */
async function atWork(out: string): Promise<number> {
  const names = await readdir(out, { recursive: true }).catch(() => []);
  return names.filter((name) => /retrain.*working\.json$/.test(name)).length;
}

/** What every stage gave, by its folder, and the result. */
async function outcome(out: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await readdir(join(out, "stages"))) {
    const { outputHash } = await RECORD.read(join(out, "stages", name, RECORD.name));
    found[name] = outputHash;
  }
  return { ...found, result: await readFile(join(out, "result.json"), "utf8") };
}

it("gives the bytes of stages that ran one after another, killed on the way too, and ends at Ctrl-C", async () => {
  const folder = await smallExperiment(suite);
  expect(await run(folder, "single", { stages: 1 })).toMatchObject({ code: 0 });
  const single = await outcome(join(folder, "single"));

  expect(await run(folder, "beside")).toMatchObject({ code: 0 });
  expect(await outcome(join(folder, "beside"))).toEqual(single);

  expect(await run(folder, "killed", { stop: "SIGKILL" })).toMatchObject({ signal: "SIGKILL" });
  expect(await run(folder, "killed")).toMatchObject({ code: 0 });
  expect(await outcome(join(folder, "killed"))).toEqual(single);

  const stopped = await run(folder, "stopped", { stop: "SIGINT" });
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain("culprit: stopped; what is finished stays");
  expect(await run(folder, "stopped")).toMatchObject({ code: 0 });
  expect(await outcome(join(folder, "stopped"))).toEqual(single);
});
