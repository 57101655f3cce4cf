/**
 * @file Kills `culprit run` at random moments and holds what the resumed run ends with against an undisturbed one, byte for byte.
 *
 * npx tsx bench/kill-run.ts [--kills 20] [--seed 1] [--experiment FILE]
 *
 * Without --experiment it makes a miniature one: a random checkpoint of 3 blocks, every kind of stage. Needs `npm run build`. Prints each
 * kill with the stage that it hit, and exits with 1 where a result differs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { hashFile } from "../src/util/hash.ts";
import { createRng } from "../src/util/rng.ts";
import { makeMiniatureExperiment } from "../test/support/miniature-experiment.ts";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    experiment: { type: "string" },
  },
});
const kills = Number(values.kills);
const rng = createRng(Number(values.seed));
const folder = await mkdtemp(join(tmpdir(), "culprit-kill-"));
const experiment = values.experiment ?? (await makeMiniatureExperiment(join(folder, "experiment")));

/** Runs to the end, or until it is killed after `killAfterMs`; the exit code, null where it was killed. */
async function run(
  out: string,
  killAfterMs?: number,
): Promise<{ code: number | null; log: string }> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, "run", experiment, "--out", out], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (log += text));
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  if (code !== null && code !== 0) throw new Error(`the run failed with ${code}:\n${log}`);
  return { code, log };
}

/** Every file that counts, by its hash: those that the stages list, and those that lie in the experiment's folder. */
async function results(out: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const stage of await readdir(join(out, "stages"))) {
    const text = await readFile(join(out, "stages", stage, "stage.json"), "utf8");
    const record = JSON.parse(text) as { files: { path: string }[] };
    // Hashed anew: the record may say what it likes.
    for (const { path } of record.files) {
      const name = join("stages", stage, path);
      files.set(name, await hashFile(join(out, name)));
    }
  }
  for (const name of ["result.json", "ranking.parquet"]) {
    files.set(name, await hashFile(join(out, name)));
  }
  return files;
}

const whole = join(folder, "whole");
const startMs = performance.now();
await run(whole);
const wholeMs = performance.now() - startMs;
console.log(`undisturbed: ${(wholeMs / 1000).toFixed(1)} s`);

const killed = join(folder, "killed");
let hits = 0;
let attempts = 0;
while (hits < kills) {
  attempts++;
  // Up to a third of the whole: every attempt gets somewhere, and the last ones end by themselves; then it starts afresh.
  const { code, log } = await run(killed, 500 + rng.uniform() * (wholeMs / 3));
  if (code === null) {
    hits++;
    const at = log.match(/\[\d+\/\d+\] [^\s:]+/g)?.at(-1) ?? "before the first stage";
    console.log(`kill ${hits} (attempt ${attempts}): in ${at}`);
  } else {
    await compare("finished between kills");
    await rm(killed, { recursive: true, force: true });
  }
}
await run(killed);
await compare(`after ${kills} kills`);
await rm(folder, { recursive: true, force: true });

async function compare(when: string): Promise<void> {
  const [wanted, got] = [await results(whole), await results(killed)];
  const different = [...wanted].filter(([path, hash]) => got.get(path) !== hash);
  const extra = [...got.keys()].filter((path) => !wanted.has(path));
  console.log(
    `${when}: ${wanted.size - different.length} of ${wanted.size} files the same byte for byte, ${extra.length} more`,
  );
  if (different.length === 0 && extra.length === 0) return;
  for (const path of [...different.map(([each]) => each), ...extra]) console.log(`  ${path}`);
  process.exit(1);
}
