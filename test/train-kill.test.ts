/** A run that is killed, over and over, ends in the bytes of one that was not. */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import { createRng } from "../src/index.ts";
import { hashFile } from "../src/util/hash.ts";
import { jsonLines } from "./support/data-files.ts";
import { type CliResult, runCli } from "./support/run-cli.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { tinyPairs, writeTinyCheckpoint } from "./support/tiny-training.ts";

const ROOT = suiteFolder();
const PAIRS = join(ROOT, "pairs.jsonl");
const WHOLE = join(ROOT, "whole");

beforeAll(async () => {
  await writeTinyCheckpoint(join(ROOT, "start"));
  await writeFile(PAIRS, jsonLines(tinyPairs(64)));
});

function train(out: string, killAfterMs?: number): Promise<CliResult> {
  const flags =
    "--learning-rate 1e-2 --batch-size 4 --epochs 4 --save-every 16 --threads 1 --quiet";
  return runCli(
    [
      "train",
      PAIRS,
      "--checkpoint",
      join(ROOT, "start"),
      "--out",
      out,
      ...flags.split(" "),
      "--state-every",
      "3",
    ],
    killAfterMs === undefined
      ? {}
      : { onStart: (child) => void setTimeout(() => child.kill("SIGKILL"), killAfterMs) },
  );
}

describe("culprit train", () => {
  test("killed at random moments it ends in the same checkpoints and metrics", async () => {
    const startMs = performance.now();
    expect((await train(WHOLE)).code).toBe(0);
    const wholeMs = performance.now() - startMs;
    const rng = createRng(5);
    const out = join(ROOT, "killed");
    let kills = 0;
    for (let i = 0; i < 4; i++) {
      const { signal } = await train(out, wholeMs * (0.3 + 0.6 * rng.uniform()));
      if (signal === "SIGKILL") kills++;
    }
    expect(kills).toBeGreaterThan(0);
    const last = await train(out);
    expect(last).toMatchObject({ code: 0, stderr: "" });
    for (const name of [
      "model.safetensors",
      "metrics.jsonl",
      ...[16, 32, 48].map((step) => `checkpoint-${step}/model.safetensors`),
    ]) {
      expect(await hashFile(join(out, name))).toBe(await hashFile(join(WHOLE, name)));
    }
    const names = (await readdir(out)).toSorted();
    expect(names).toEqual((await readdir(WHOLE)).toSorted());
  });

  test("says what is wrong, with exit status 2", async () => {
    const { code, stderr } = await runCli([
      "train",
      PAIRS,
      "--checkpoint",
      join(ROOT, "start"),
      "--out",
      join(ROOT, "none"),
      "--learning-rate=-1",
    ]);
    expect(code).toBe(2);
    expect(stderr).toBe('culprit: --learning-rate: expected a number above 0, got "-1"\n');
  });
});
