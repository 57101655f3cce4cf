// One job of bench/rank-store.ts as a process of its own, plain JavaScript so that no time goes into compiling:
//   node rank-store-job.mjs read|read-in-turn|one|one-null|bank|many|many-sorted STORE REPORT
//   node rank-store-job.mjs command STORE REPORT ARGUMENTS  (the command line, `culprit rank STORE ARGUMENTS`)
import { writeFileSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [job, directory, report, ...rest] = process.argv.slice(2);
let seconds;
// The command ends the process by itself.
process.once("exit", () => {
  const { maxRSS: peakKilobytes, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  writeFileSync(report, JSON.stringify({ seconds, cpuSeconds, peakKilobytes }));
});
if (job === "command") {
  const main = new URL("../dist/cli/main.js", import.meta.url);
  process.argv.splice(1, Infinity, fileURLToPath(main), "rank", directory, ...rest);
  await import(main.href);
} else {
  const isReading = job.startsWith("read");
  const culprit = isReading ? undefined : await import("../dist/index.js");
  const start = performance.now();
  if (culprit === undefined) await readFiles(job === "read" ? 2 : 1);
  else await rank(culprit);
  seconds = (performance.now() - start) / 1000;
}

/** Every byte of every file, `count` reads of 4 MiB at a time. */
async function readFiles(count) {
  const size = 4 * 2 ** 20;
  const buffers = Array.from({ length: count }, () => new Uint8Array(size));
  for (const name of await readdir(directory)) {
    const file = await open(join(directory, name));
    const { size: end } = await file.stat();
    const readEveryOther = async (buffer, first) => {
      for (let at = first; at < end; at += count * size) await file.read(buffer, 0, size, at);
    };
    await Promise.all(buffers.map((buffer, i) => readEveryOther(buffer, i * size)));
    await file.close();
  }
}

async function rank({ createRng, openStore, rankScores, rankStore }) {
  const store = await openStore(directory);
  const { checkpoint, dim, layers } = store.manifest;
  const rng = createRng(1);
  const draw = (rows) => Float32Array.from({ length: rows * dim }, () => rng.normal());
  const [layer] = layers;
  const behavior = (name) => ({
    name,
    identity: checkpoint,
    dim,
    layers,
    directions: new Map([[layer, draw(1)]]),
    bank: new Map(job === "bank" ? [[layer, draw(150)]] : []),
    head: { doubts: {} },
    scenarioIds: Array.from({ length: 150 }, (_, i) => `scenario-${i}`),
    nullDirections: new Map(job === "one-null" ? [[layer, draw(64)]] : []),
  });
  const count = job.startsWith("many") ? 150 : 1;
  const behaviors = Array.from({ length: count }, (_, i) => behavior(`behavior-${i}`));
  const scorer = job === "bank" ? "bank-max" : "cosine";
  const options = { scorer, nullDirections: job === "one-null" ? 64 : 0 };
  const rankings = await rankStore(store, behaviors, options);
  for (const { scores } of job === "many" ? rankings.slice(0, 1) : rankings) {
    const { order, scored } = rankScores(scores);
    if (scored !== store.rows || !(scores[order[0]] > 0)) throw new Error("the ranking is wrong");
  }
}
