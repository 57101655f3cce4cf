/**
 * @file Ranking a synthetic store against the time to read its files, in turn in the same run.
 *
 *   npx tsx bench/rank-store.ts [--rows 378339] [--dim 4096] [--shard-rows 2048] [--folder DIR] [--runs 3] [--json]
 *
 * Each measurement is one Node process of its own, started from the built dist/ (run `npm run build` first): one reads every
 * file of the store and does nothing else, the others open the store, draw the behaviours, score and sort. "Seconds" and
 * the ratio are of that work, without starting Node and loading modules; "process" is everything. The page cache is in the same state for all of them: warm where the store fits into memory. The store lies in a new
 * folder below --folder (default: the system's temporary folder) and is deleted at the end.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { writeSyntheticStore } from "./rank-store-synthetic.ts";
import { median } from "./support.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "378339" },
    dim: { type: "string", default: "4096" },
    "shard-rows": { type: "string", default: "2048" },
    folder: { type: "string", default: tmpdir() },
    runs: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});

const JOBS = {
  read: "read the files, two reads at a time",
  "read-in-turn": "read the files, one read at a time",
  one: "1 behaviour",
  "one-null": "1 behaviour and 64 null directions",
  bank: "bank of 150 vectors, nearest scenario",
  many: "150 behaviours, one of them sorted",
  "many-sorted": "150 behaviours, all sorted",
} as const;
type Job = keyof typeof JOBS;

interface Measurement {
  readonly seconds: number;
  readonly processSeconds: number;
  readonly peakMegabytes: number;
}

const jobFile = fileURLToPath(new URL("rank-store-job.mjs", import.meta.url));
if (!existsSync(new URL("../dist/index.js", import.meta.url))) {
  throw new Error("bench/rank-store.ts: expected dist/, run npm run build first");
}
const folder = mkdtempSync(join(values.folder, "culprit-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = join(folder, "store");
const shape = {
  rows: Number(values.rows),
  dim: Number(values.dim),
  shardRows: Number(values["shard-rows"]),
};
const started = performance.now();
await writeSyntheticStore(store, shape);
console.error(`store written in ${((performance.now() - started) / 1000).toFixed(0)} s`);

const names = Object.keys(JOBS) as Job[]; // the keys written above
const runs = new Map<Job, Measurement[]>(names.map((name) => [name, []]));
measure("read"); // brings the files into the page cache
for (let run = 0; run < Number(values.runs); run++) {
  for (const name of names) runs.get(name)!.push(measure(name));
}

const yardstick = (job: Job): number => median(runs.get(job)!.map(({ seconds }) => seconds));
const results = names.map((name) => {
  const all = runs.get(name)!;
  const seconds = median(all.map((each) => each.seconds));
  const processSeconds = median(all.map((each) => each.processSeconds));
  const peakMegabytes = Math.max(...all.map((each) => each.peakMegabytes));
  return {
    job: JOBS[name],
    seconds,
    ratio: seconds / yardstick("read"),
    ratioInTurn: seconds / yardstick("read-in-turn"),
    processSeconds,
    peakMegabytes,
    runs: all,
  };
});
if (values.json) {
  console.log(JSON.stringify({ ...shape, processor: cpus()[0]?.model, results }, undefined, 2));
} else {
  const gigabytes = (shape.rows * shape.dim * 2) / 1e9;
  console.log(
    `${shape.rows} x ${shape.dim} fp16 (${gigabytes.toFixed(1)} GB), ${cpus().length} cores`,
  );
  console.log(
    "| job | seconds | times reading, two at a time | times reading, one at a time | process, seconds | peak RSS, MB |\n|---|---|---|---|---|---|",
  );
  for (const { job, seconds, ratio, ratioInTurn, processSeconds, peakMegabytes } of results) {
    const cells = [
      job,
      seconds.toFixed(2),
      ratio.toFixed(2),
      ratioInTurn.toFixed(2),
      processSeconds.toFixed(2),
      peakMegabytes.toFixed(0),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

/** One job in a process of its own, with the figures that it reports at its end. */
function measure(job: Job): Measurement {
  const start = performance.now();
  const report = join(folder, "report.json");
  execFileSync(process.execPath, [jobFile, job, store, report], { stdio: "inherit" });
  const processSeconds = (performance.now() - start) / 1000;
  const { seconds, peakKilobytes } = JSON.parse(readFileSync(report, "utf8")) as {
    seconds: number;
    peakKilobytes: number;
  };
  return { seconds, processSeconds, peakMegabytes: peakKilobytes / 1024 };
}
