/**
 * @file Embedding speed and values against the published code's way of computing datapoint vectors, in turn in the same run.
 *
 *   npx tsx bench/embed-speed.ts --reference official_style.py --python PYTHON --model DIR --pairs FILE.jsonl.gz
 *     [--limit 300] [--layer 20] [--threads 2] [--runs 3]
 *
 * The reference script runs one pair at a time through transformers; it prints its own seconds, model loading left out. Culprit's
 * seconds are the whole command's, loading included. Prints a table, the ratio of each pair of runs, the smallest cosine between the
 * two sets of vectors, and which share of this machine's matrix-product peak was reached.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { openSafetensors } from "../src/format/safetensors.ts";
import { readModel } from "../src/model/read-model.ts";
import { matrixPeak, median } from "./support.ts";

const { values } = parseArgs({
  options: {
    reference: { type: "string" },
    python: { type: "string", default: "python3" },
    model: { type: "string" },
    pairs: { type: "string" },
    limit: { type: "string", default: "300" },
    layer: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "3" },
  },
});
const { reference, model, pairs } = values;
if (reference === undefined || model === undefined || pairs === undefined) {
  throw new Error("usage: see the head of this file");
}
const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
const layer = Number(values.layer);
const threads = Number(values.threads);

interface Run {
  pairs: number;
  tokens: number;
  seconds: number;
}

const vectorsPath = join(work, "reference.safetensors");
function runReference(): Run {
  const out = execFileSync(
    values.python,
    [
      reference!,
      "--model",
      model!,
      "--pairs",
      pairs!,
      "--layers",
      values.layer,
      "--limit",
      values.limit,
      "--threads",
      values.threads,
      "--out",
      vectorsPath,
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  return JSON.parse(out.trim().split("\n").at(-1)!) as Run;
}

const storePath = join(work, "store");
function runCulprit(): Run {
  rmSync(storePath, { recursive: true, force: true });
  const start = performance.now();
  const out = execFileSync(
    process.execPath,
    [
      "dist/cli/main.js",
      "embed",
      pairs!,
      "--checkpoint",
      model!,
      "--layers",
      values.layer,
      "--out",
      storePath,
      "--limit",
      values.limit,
      "--threads",
      values.threads,
      "--dtype",
      "F32",
      "--quiet",
      "--json",
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const result = JSON.parse(out) as Run;
  return { ...result, seconds: (performance.now() - start) / 1000 };
}

async function smallestCosine(): Promise<{ cosine: number; pairs: number }> {
  const vectorOf = new Map<string, Float32Array>();
  for (const name of readdirSync(storePath).filter((each) => each.startsWith("shard-"))) {
    await using shard = await openSafetensors(join(storePath, name));
    const ids = JSON.parse(shard.metadata["ids"]!) as string[];
    const rows = new Float32Array((await shard.readBytes(`layer.${layer}`)).slice().buffer);
    const dim = rows.length / ids.length;
    for (const [i, id] of ids.entries()) vectorOf.set(id, rows.subarray(i * dim, (i + 1) * dim));
  }
  await using file = await openSafetensors(vectorsPath);
  const ids = JSON.parse(file.metadata["ids"]!) as string[];
  const rows = new Float32Array((await file.readBytes(`layer.${layer}`)).slice().buffer);
  const dim = rows.length / ids.length;
  let smallest = 1;
  for (const [i, id] of ids.entries()) {
    const ours = vectorOf.get(id)!;
    let dot = 0;
    let a = 0;
    let b = 0;
    for (let k = 0; k < dim; k++) {
      const theirs = rows[i * dim + k]!;
      dot += theirs * ours[k]!;
      a += theirs ** 2;
      b += ours[k]! ** 2;
    }
    smallest = Math.min(smallest, dot / Math.sqrt(a * b));
  }
  return { cosine: smallest, pairs: ids.length };
}

try {
  const ratios: number[] = [];
  const rates: number[] = [];
  const peaks: number[] = [];
  const shares: number[] = [];
  const { config } = await readModel(model);
  const perBlock =
    config.dim * config.headDim * (2 * config.heads + 2 * config.keyHeads) +
    3 * config.dim * config.mlpDim;
  console.log(
    "| run | reference pairs/s | culprit pairs/s | ratio | matrix peak GFLOP/s | share of peak in weights' products |",
  );
  console.log("|---|---|---|---|---|---|");
  for (let run = 1; run <= Number(values.runs); run++) {
    const theirs = runReference();
    const ours = runCulprit();
    const peak = await matrixPeak(threads);
    const ratio = ours.pairs / ours.seconds / (theirs.pairs / theirs.seconds);
    const gflops = (2 * perBlock * layer * ours.tokens) / ours.seconds / 1e9;
    ratios.push(ratio);
    rates.push(ours.pairs / ours.seconds);
    peaks.push(peak);
    shares.push(gflops / peak);
    console.log(
      `| ${run} | ${(theirs.pairs / theirs.seconds).toFixed(2)} | ${(ours.pairs / ours.seconds).toFixed(2)} | ${ratio.toFixed(2)} | ${peak.toFixed(0)} | ${((gflops / peak) * 100).toFixed(0)} % |`,
    );
  }
  const { cosine, pairs: compared } = await smallestCosine();
  console.log(
    `\nmedian ratio ${median(ratios).toFixed(2)}, median share of peak ${(median(shares) * 100).toFixed(0)} %; smallest cosine over ${compared} pairs: 1 - ${(1 - cosine).toExponential(1)}`,
  );
  console.log(JSON.stringify({ ratios, rates, peaks, shares, cosine }));
} finally {
  rmSync(work, { recursive: true, force: true });
}
