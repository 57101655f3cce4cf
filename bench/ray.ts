/**
 * @file Pairs embedded in a second by the ray engine with one worker, and by the same PyTorch code called directly, in turn; and how long a
 * session takes to start.
 *
 *     RAY_AUTH_TOKEN_PATH=DIR/token npx tsx bench/ray.ts ADDRESS DIR CHECKPOINT PAIRS [LIMIT]
 *
 * DIR is that of `culprit cluster up`, CHECKPOINT what bench/make-smollm2.sh makes, LIMIT how many pairs (60). A pass of each comes first and
 * is not counted.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { TokenizedExample } from "../src/engine/engine.ts";
import { cutChunks } from "../src/engine/ray/ray-chunks.ts";
import { rayHost } from "../src/engine/ray/ray-host.ts";
import { closeSessions } from "../src/engine/ray/session-pool.ts";
import { openPairs, writeSafetensors } from "../src/index.ts";

const [address, dir, checkpoint, pairs, limit = "60"] = process.argv.slice(2);
if (address === undefined || dir === undefined || checkpoint === undefined || pairs === undefined) {
  throw new Error("expected ADDRESS DIR CHECKPOINT PAIRS");
}
const PASSES = 3;
const folder = mkdtempSync(join(tmpdir(), "culprit-bench-"));
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const { engine, examples, layers } = await prepare(checkpoint, address);

try {
  await writeChunks();
  const seconds = { engine: [] as number[], direct: [] as number[] };
  for (let pass = 0; pass <= PASSES; pass++) {
    const [ours, theirs] = [await byEngine(pass), await direct()];
    if (pass === 0) {
      print(`first pass of the engine, session and loading included: ${ours.toFixed(1)} s`);
      continue;
    }
    seconds.engine.push(ours);
    seconds.direct.push(theirs);
    const rates = [ours, theirs].map((each) => (examples.length / each).toFixed(2));
    print(`pass ${pass}: engine ${rates[0]} pairs/s, direct ${rates[1]} pairs/s`);
  }
  const ratios = seconds.engine
    .map((each, i) => seconds.direct[i]! / each)
    .toSorted((a, b) => a - b);
  print(`engine / direct, median of ${PASSES}: ${ratios[Math.floor(PASSES / 2)]!.toFixed(2)}`);
} finally {
  await engine[Symbol.asyncDispose]();
  await closeSessions();
  rmSync(folder, { recursive: true, force: true });
}

async function prepare(name: string, where: string) {
  const opened = await rayHost.open(name, {
    address: where,
    storage: join(dir!, "storage"),
    workers: 1,
  });
  const found: TokenizedExample[] = [];
  const set = await openPairs([pairs!], { limit: Number(limit) });
  for await (const row of set.read({})) {
    if (row.kind !== "pair") continue;
    const example = opened.tokenize(row.prompt, [row.chosen, row.rejected], row.context);
    if (example.prompt.length < 1024) found.push(example);
  }
  const middle = Math.round(opened.identity.layerCount * 0.6);
  return { engine: opened, examples: found, layers: [middle] };
}

async function writeChunks(): Promise<void> {
  const limits = { tokens: 16_384, examples: 512 };
  const asked = { op: "embed", layers, checkpoint };
  for (const [i, { tensors, task }] of [...cutChunks(examples, limits, () => asked)].entries()) {
    const path = join(folder, `${String(i).padStart(4, "0")}.in.safetensors`);
    await writeSafetensors(path, tensors, { culprit: JSON.stringify(task) });
  }
}

/** Seconds of a pass. */
async function byEngine(pass: number): Promise<number> {
  const startMs = performance.now();
  let count = 0;
  for await (const _ of engine.embed(examples, { layers })) count++;
  if (count !== examples.length) throw new Error(`pass ${pass}: ${count} of ${examples.length}`);
  return (performance.now() - startMs) / 1000;
}

/** Not waited for by blocking: the session would miss its sign of life. */
async function direct(): Promise<number> {
  const python = join(dir!, "venv", "bin", "python");
  const words = ["-W", "ignore", "bench/ray_direct.py", folder];
  return Number((await promisify(execFile)(python, words)).stdout.trim());
}
