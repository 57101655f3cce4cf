/** An edit that is killed leaves the old data or the new, never a part. */
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, it } from "vitest";

import { createRng } from "../src/util/rng.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCli } from "./support/run-cli.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = suiteFolder();

it("killed at any moment it leaves no data or all of it, and the next run clears up", async () => {
  const rows = randomPairs(20_000);
  await mkdir(join(ROOT, "mix"));
  for (const part of [0, 1, 2]) {
    const some = rows.filter((_, i) => i % 3 === part);
    await writeFile(join(ROOT, "mix", `${part}.jsonl`), jsonLines(some));
  }
  const ranking = join(ROOT, "ranking.jsonl");
  await writeFile(ranking, jsonLines(rows.map(({ id }, score) => ({ id, score }))));
  const out = join(ROOT, "out");
  const flags = ["--ranking", ranking, "--action", "swap", "--top", "5000", "--out", out];
  const words = ["edit", join(ROOT, "mix", "*.jsonl"), ...flags, "--force"];
  const rng = createRng(4);
  const work = join(ROOT, ".out.culprit-edit");
  let partial = 0;
  for (let kill = 0; kill < 5; kill++) {
    const result = await runCli(words, {
      onStart: (child) =>
        void (async () => {
          while (!existsSync(work) && child.exitCode === null) await sleep(1);
          await sleep(rng.integer(80));
          child.kill("SIGKILL");
        })(),
    });
    if (result.signal === "SIGKILL") partial++;
    const data = existsSync(out) ? (await readdir(out)).join(" ") : "none";
    expect(["none", "0.jsonl 1.jsonl 2.jsonl"]).toContain(data);
    // The manifest comes last: where it stands, the data does.
    expect([data === "none", existsSync(`${out}.manifest.json`)]).not.toEqual([true, true]);
  }
  expect(partial).toBeGreaterThan(0);
  const { code, stderr } = await runCli(words);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  expect((await readdir(ROOT)).toSorted()).toEqual(
    ["mix", "out", "out.ids.jsonl", "out.manifest.json", "ranking.jsonl"].toSorted(),
  );
}, 60_000);
