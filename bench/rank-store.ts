/**
 * @file Ranking a synthetic store against the time to read its files, in turn in the same run.
 *
 *   npx tsx bench/rank-store.ts [--rows 378339] [--dim 4096] [--shard-rows 2048] [--folder DIR] [--runs 3] [--jobs one,command] [--json FILE]
 *
 * Each measurement is one Node process of its own, started from the built dist/ (run `npm run build` first). Two read every file of the
 * store and do nothing else; they are the yardsticks. Others open the store, draw the behaviours, score and sort: of these "seconds" is that
 * work, without starting Node and loading modules. The whole commands are `culprit rank` with files on disk, from the start of Node to its
 * end, with the report and, for one behaviour, the Parquet file. "Process" is the whole process for every job, "processor" the time
 * of all its threads together, which other work on the machine changes less. Ratios are of each run's own
 * yardstick: the median of the runs, and the smallest and largest. The page cache is in the same state for all: warm where the
 * store fits into memory. The store lies in a new folder below --folder (default: the system's temporary folder) and is deleted at the end.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { SYNTHETIC_LAYER, writeSyntheticStore } from "./rank-store-synthetic.ts";
import { median, writeFindings } from "./support.ts";
import { writeSyntheticBehaviors } from "./synthetic-behaviors.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "378339" },
    dim: { type: "string", default: "4096" },
    "shard-rows": { type: "string", default: "2048" },
    folder: { type: "string", default: tmpdir() },
    runs: { type: "string", default: "3" },
    jobs: { type: "string" },
    json: { type: "string" },
  },
});

/** The yardsticks come first: a run's ratios are of its own. */
const JOBS = {
  read: "read the files, two reads at a time",
  "read-in-turn": "read the files, one read at a time",
  one: "1 behaviour",
  "one-null": "1 behaviour and 64 null directions",
  bank: "bank of 150 vectors, nearest scenario",
  many: "150 behaviours, one of them sorted",
  "many-sorted": "150 behaviours, all sorted",
  command: "`culprit rank`, 1 behaviour and 64 null directions, written",
  "command-many": "`culprit rank`, 150 behaviours without nulls, reported",
} as const;
type Job = keyof typeof JOBS;

interface Measurement {
  /** Of the work; of a whole command, of everything. */
  readonly seconds: number;
  readonly processSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

const jobFile = fileURLToPath(new URL("rank-store-job.mjs", import.meta.url));
if (!existsSync(new URL("../dist/index.js", import.meta.url))) {
  throw new Error("bench/rank-store.ts: expected dist/, run npm run build first");
}
const names = chosenJobs();
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
const commands = await prepareCommands();
console.error(`store written in ${((performance.now() - started) / 1000).toFixed(0)} s`);

const runs = new Map<Job, Measurement[]>(names.map((name) => [name, []]));
measure("read"); // brings the files into the page cache
for (let run = 0; run < Number(values.runs); run++) {
  for (const name of names) runs.get(name)!.push(measure(name));
}

const results = names.map((name) => {
  const all = runs.get(name)!;
  const ratiosTo = (yardstick: Job): number[] =>
    all.map(({ seconds }, run) => seconds / runs.get(yardstick)![run]!.seconds);
  const ratios = ratiosTo("read");
  return {
    job: name,
    describe: JOBS[name],
    seconds: rangeOf(all.map(({ seconds }) => seconds)),
    ratios,
    ratio: rangeOf(ratios),
    ratioInTurn: rangeOf(ratiosTo("read-in-turn")),
    processSeconds: median(all.map(({ processSeconds }) => processSeconds)),
    cpuSeconds: median(all.map(({ cpuSeconds }) => cpuSeconds)),
    peakMegabytes: Math.max(...all.map(({ peakMegabytes }) => peakMegabytes)),
    runs: all,
  };
});
writeFindings(values.json, {
  rows: Object.fromEntries([
    ...results.map(({ job, ratios }) => [job, ratios]),
    ...results.map(({ job, runs: all }) => [
      `${job}, peak MB`,
      all.map(({ peakMegabytes }) => peakMegabytes),
    ]),
  ]),
});
const gigabytes = (shape.rows * shape.dim * 2) / 1e9;
console.log(
  `${shape.rows} x ${shape.dim} fp16 (${gigabytes.toFixed(1)} GB), ${cpus().length} cores, ${values.runs} runs: median [smallest, largest]\n`,
);
console.log(
  "| job | seconds | times reading, two at a time | times reading, one at a time | process, seconds | processor, seconds | peak RSS, MB |\n|---|---|---|---|---|---|---|",
);
for (const result of results) {
  const cells = [
    result.describe,
    showRange(result.seconds),
    showRange(result.ratio),
    showRange(result.ratioInTurn),
    result.processSeconds.toFixed(2),
    result.cpuSeconds.toFixed(2),
    result.peakMegabytes.toFixed(0),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

interface Range {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

function rangeOf(numbers: readonly number[]): Range {
  return { median: median(numbers), low: Math.min(...numbers), high: Math.max(...numbers) };
}

function showRange({ median: middle, low, high }: Range): string {
  return `${middle.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

/** The jobs asked for, with the yardsticks. */
function chosenJobs(): Job[] {
  const all = Object.keys(JOBS) as Job[]; // the keys written above
  const asked = values.jobs?.split(",");
  const unknown = asked?.find((name) => !(name in JOBS));
  if (unknown !== undefined) throw new Error(`--jobs: expected ${all.join(", ")}, got ${unknown}`);
  return all.filter(
    (name) => asked === undefined || name.startsWith("read") || asked.includes(name),
  );
}

/** The arguments of the whole commands, whose behaviour files are written here. */
async function prepareCommands(): Promise<ReadonlyMap<Job, readonly string[]>> {
  const made = new Map<Job, readonly string[]>();
  const shapes = {
    command: { count: 1 },
    "command-many": { count: 150, scenarios: 2, nulls: 0 },
  } as const;
  for (const [name, behaviors] of Object.entries(shapes)) {
    if (!(names as string[]).includes(name)) continue;
    const into = join(folder, name);
    mkdirSync(into);
    const paths = await writeSyntheticBehaviors(into, store, behaviors);
    const out = ["--out", join(into, "ranking.parquet"), "--force"];
    made.set(name as Job, [
      ...paths.flatMap((path) => ["--behavior", path]),
      "--layers",
      `${SYNTHETIC_LAYER}`,
      "--no-text",
      ...(name === "command" ? out : []),
    ]);
  }
  return made;
}

/** One job in a process of its own, with the figures that it reports at its end. */
function measure(job: Job): Measurement {
  const report = join(folder, "report.json");
  const given = commands.get(job);
  const start = performance.now();
  execFileSync(
    process.execPath,
    [jobFile, given === undefined ? job : "command", store, report, ...(given ?? [])],
    { stdio: ["ignore", "ignore", given === undefined ? "inherit" : "pipe"] },
  );
  const processSeconds = (performance.now() - start) / 1000;
  const found = JSON.parse(readFileSync(report, "utf8")) as {
    seconds?: number;
    cpuSeconds: number;
    peakKilobytes: number;
  };
  const { seconds = processSeconds, cpuSeconds, peakKilobytes } = found;
  return { seconds, processSeconds, cpuSeconds, peakMegabytes: peakKilobytes / 1024 };
}
