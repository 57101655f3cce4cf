/**
 * @file What --precision INT8 and W8A8 do to vectors and rankings: datapoint vectors so made against those of float32, in turn in the same
 * run, a chunk of pairs at a time.
 *
 *   npx tsx bench/int8-vectors.ts --model DIR --pairs FILE.jsonl.gz [--precisions INT8,W8A8] [--limit 2264] [--layer 20]
 *     [--threads 2] [--chunk 100] [--json FILE]
 *
 * Rankings are those by the mean vector of all pairs, and by eight random directions, whose lowest figure is told. Prints cosines, rank
 * correlations, how much of the exact top 1% (ten pairs at least) is in the other's, and each one's seconds and processor time.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import type { Engine, TokenizedExample } from "../src/engine/engine.ts";
import { type Precision, PRECISIONS } from "../src/engine/precision.ts";
import { openEngine, openPairs } from "../src/index.ts";
import { createRng } from "../src/util/rng.ts";
import { median, processorFeatures, writeFindings } from "./support.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    pairs: { type: "string" },
    precisions: { type: "string", default: "INT8,W8A8" },
    limit: { type: "string", default: "2264" },
    layer: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    chunk: { type: "string", default: "100" },
    json: { type: "string" },
  },
});
const { model, pairs } = values;
const precisions = PRECISIONS.filter((each) => values.precisions.split(",").includes(each));
if (model === undefined || pairs === undefined || precisions.length === 0)
  throw new Error("usage: see the head of this file");
const layer = Number(values.layer);
const threads = Number(values.threads);
const print = (line = ""): void => void process.stdout.write(`${line}\n`);

/** Vectors so far, and what they took. */
interface Arm {
  readonly precision: Precision;
  readonly engine: Engine;
  readonly vectors: Float32Array[];
  seconds: number;
  cpuSeconds: number;
}

async function embed(arm: Arm, examples: readonly TokenizedExample[]): Promise<void> {
  const first = arm.vectors.length;
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  for await (const { index, means } of arm.engine.embed(examples, { layers: [layer] })) {
    const [chosen, rejected] = means as readonly [Float32Array, Float32Array]; // two responses went in
    arm.vectors[first + index] = chosen.map((x, k) => x - rejected[k]!);
  }
  const { user, system } = process.cpuUsage(cpuStart);
  arm.seconds += (performance.now() - start) / 1000;
  arm.cpuSeconds += (user + system) / 1e6;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** Places from the highest score down. */
function places(scores: readonly number[]): Int32Array {
  const order = scores.map((_, i) => i).toSorted((a, b) => scores[b]! - scores[a]!);
  const place = new Int32Array(scores.length);
  for (const [at, i] of order.entries()) place[i] = at;
  return place;
}

/** Of rankings by the cosine with a direction: Spearman's rank correlation, no two scores being equal, and the share of the one's top that is in the other's. */
function compareRankings(
  small: Arm,
  direction: Float32Array,
): { spearman: number; recall: number } {
  const [exact, rounded] = [full, small].map(({ vectors }) =>
    places(vectors.map((vector) => dot(vector, direction) / Math.sqrt(dot(vector, vector)))),
  ) as [Int32Array, Int32Array];
  const n = exact.length;
  const top = Math.max(10, Math.round(n / 100));
  let [squares, found] = [0, 0];
  for (const [i, place] of exact.entries()) {
    squares += (place - rounded[i]!) ** 2;
    if (place < top && rounded[i]! < top) found++;
  }
  return { spearman: 1 - (6 * squares) / (n * (n * n - 1)), recall: found / top };
}

const openArm = async (precision: Precision): Promise<Arm> => ({
  precision,
  engine: await openEngine(model, { threads, precision }),
  vectors: [],
  seconds: 0,
  cpuSeconds: 0,
});
const full = await openArm("F32");
const rounded = await Promise.all(precisions.map(openArm));
const examples: TokenizedExample[] = [];
const set = await openPairs([pairs], { limit: Number(values.limit) });
for await (const row of set.read()) {
  if (row.kind === "pair") {
    examples.push(full.engine.tokenize(row.prompt, [row.chosen, row.rejected]));
  }
}
const chunk = Number(values.chunk);
const arms = [full, ...rounded];
for (let from = 0, turn = 0; from < examples.length; from += chunk, turn++) {
  const some = examples.slice(from, from + chunk);
  for (const each of turn % 2 === 0 ? arms : arms.toReversed()) await embed(each, some);
}
for (const { engine } of arms) await engine[Symbol.asyncDispose]();

const mean = new Float32Array(full.vectors[0]!.length);
for (const vector of full.vectors) for (const [k, x] of vector.entries()) mean[k]! += x;
const rng = createRng(1);
const random = Array.from({ length: 8 }, () => mean.map(() => rng.normal()));
print(`${cpus()[0]!.model} (${processorFeatures()}), ${threads} threads, Node ${process.version}.`);
print(`${examples.length} pairs, layer ${layer}.\n`);
print("| precision | figure | value |\n|---|---|---|");
const found: Record<string, readonly number[]> = {};
for (const small of rounded) {
  const off = full.vectors.map((a, i) => {
    const b = small.vectors[i]!;
    return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  });
  const byMean = compareRankings(small, mean);
  const byRandom = random.map((each) => compareRankings(small, each));
  const lowest = (key: keyof typeof byMean): number => Math.min(...byRandom.map((r) => r[key]));
  const { precision } = small;
  const row = (figure: string, value: string): void =>
    print(`| ${precision} | ${figure} | ${value} |`);
  row("1 − cosine, median", median(off).toExponential(1));
  row("1 − cosine, worst", Math.max(...off).toExponential(1));
  row("Spearman, by the mean vector", byMean.spearman.toFixed(5));
  row("Spearman, lowest of 8 random", lowest("spearman").toFixed(5));
  row("of the exact top 1%, by the mean vector", byMean.recall.toFixed(2));
  row("of the exact top 1%, lowest of 8 random", lowest("recall").toFixed(2));
  row("seconds by F32", (small.seconds / full.seconds).toFixed(2));
  row("processor time by F32", (small.cpuSeconds / full.cpuSeconds).toFixed(2));
  found[`${precision}, cosine`] = off.map((each) => 1 - each);
  found[`${precision}, Spearman by the mean vector`] = [byMean.spearman];
  found[`${precision}, Spearman by random directions`] = byRandom.map((each) => each.spearman);
  found[`${precision}, recall of the top 1% by the mean vector`] = [byMean.recall];
}
writeFindings(values.json, { rows: found });
