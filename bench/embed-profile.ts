/**
 * @file Where the time of embedding goes: kernel time by kind of op, from ONNX Runtime's own profile, and the matrix products'
 * speed against one 1024³ product in the same run.
 *
 *   npx tsx bench/embed-profile.ts --model DIR --pairs FILE.jsonl.gz [--limit 100] [--layer 20] [--threads 2] [--precision F32]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { batchInputs, prefixInputs } from "../src/engine/batch-inputs.ts";
import type { TokenizedExample } from "../src/engine/engine.ts";
import { holdWeights } from "../src/engine/graph-programs.ts";
import { ParameterCache } from "../src/engine/parameter-cache.ts";
import { planBatches } from "../src/engine/plan-batches.ts";
import { PRECISIONS } from "../src/engine/precision.ts";
import { queryPieces } from "../src/engine/query-pieces.ts";
import { sharedPrefixLength } from "../src/engine/shared-prefix.ts";
import { blockWeights } from "../src/model/block-weights.ts";
import { openWeights } from "../src/model/checkpoint-weights.ts";
import { pooledActivations, prefixKeys, usedRopes } from "../src/model/pooled-activations.ts";
import { createRenderer } from "../src/model/prompt-renderer.ts";
import { readModel } from "../src/model/read-model.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";
import { compile } from "../src/runtime/ort.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { matrixPeak } from "./support.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    pairs: { type: "string" },
    limit: { type: "string", default: "100" },
    layer: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    precision: { type: "string", default: "F32" },
    "batch-tokens": { type: "string", default: "1024" },
  },
});
const precision = PRECISIONS.find((each) => each === values.precision);
if (values.model === undefined || values.pairs === undefined || precision === undefined) {
  throw new Error("usage: see the head of this file");
}
const layer = Number(values.layer);
const threads = Number(values.threads);
const model = await readModel(values.model);
const { config } = model;
const { headDim, rotaryDim } = config;
const renderer = await createRenderer(values.model);
const examples: TokenizedExample[] = [];
const pairs = await openPairs([values.pairs], { limit: Number(values.limit) });
for await (const pair of pairs.read()) {
  if (pair.kind === "pair")
    examples.push(renderer.tokenize(pair.prompt, [pair.chosen, pair.rejected]));
}
const ropes = usedRopes(config, config.layerCount);
const prefixLength = sharedPrefixLength(examples, ropes);
const batches = planBatches(examples, {
  costPerToken: layer * blockWeights(config),
  costPerScore: layer * 2 * config.heads * headDim,
  batchTokens: Number(values["batch-tokens"]),
  batchScores: 2 ** 26 / config.heads,
  ropes,
  prefixLength,
});

await using weights = await openWeights(values.model);
const cache = new ParameterCache(weights);
const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
try {
  const keysGraph = prefixKeys(model, layer);
  const keysLowered = lowerToOnnx(holdWeights(keysGraph.outputs, precision));
  await using keysProgram = await compile(keysLowered, {
    threads,
    weights: (await cache.load(keysLowered.parameters)).bound,
  });
  const settings = { frequencyInputs: keysGraph.frequencyInputs, rotaryDim };
  const prefix =
    prefixLength === 0
      ? {}
      : await keysProgram.run(prefixInputs(examples[0]!.prompt.slice(0, prefixLength), settings));

  let wallMs = 0;
  const byKind = new Map<string, number>();
  for (const pieces of new Set(batches.map(queryPieces))) {
    const own = batches.filter((batch) => queryPieces(batch) === pieces);
    const graph = pooledActivations(model, [layer], { hasPrefix: prefixLength > 0, pieces });
    const lowered = lowerToOnnx(holdWeights(graph.outputs, precision));
    const { bound } = await cache.load(lowered.parameters);
    const name = `profile-${pieces}`;
    {
      await using program = await compile(lowered, {
        threads,
        weights: bound,
        profilePrefix: join(work, name),
      });
      for (const batch of own) {
        const inputs = batchInputs(examples, batch, { ...settings, prefixLength });
        const start = performance.now();
        await program.run({ ...inputs, ...prefix });
        wallMs += performance.now() - start;
      }
    }
    const file = readdirSync(work).find((each) => each.startsWith(name))!; // written when the program ended
    for (const [kind, ms] of kernelTimes(join(work, file))) {
      byKind.set(kind, (byKind.get(kind) ?? 0) + ms);
    }
  }
  const padded = batches.reduce((sum, batch) => sum + batch.length * batch[0]!.length, 0);
  const tokens = batches.flat().reduce((sum, row) => sum + row.length, 0);
  const total = [...byKind.values()].reduce((sum, ms) => sum + ms, 0);
  console.log(
    `${examples.length} pairs, ${tokens} tokens in ${batches.length} batches, ${((padded / tokens - 1) * 100).toFixed(1)} % padding, ${prefixLength} prefix tokens run once\n`,
  );
  console.log("| op | share of kernel time | ms |\n|---|---|---|");
  for (const [kind, ms] of [...byKind].toSorted((a, b) => b[1] - a[1])) {
    if (ms / total > 0.002)
      console.log(`| ${kind} | ${((100 * ms) / total).toFixed(1)} % | ${ms.toFixed(0)} |`);
  }
  const peak = await matrixPeak(threads);
  const kernels = precision === "W8A8" ? "MatMulIntegerToFloat" : "MatMul";
  const products = (2 * blockWeights(config) * layer * padded) / byKind.get(kernels)! / 1e6;
  console.log(
    `\nkernels ${total.toFixed(0)} ms of ${wallMs.toFixed(0)} ms; matrix products (${kernels}) at ${products.toFixed(0)} GFLOP/s, a 1024³ product of float32 at ${peak.toFixed(0)} GFLOP/s (${((100 * products) / peak).toFixed(0)} %)`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Milliseconds by kind of op. */
function kernelTimes(path: string): Map<string, number> {
  const events = JSON.parse(readFileSync(path, "utf8")) as {
    cat: string;
    name: string;
    dur: number;
    args?: { op_name?: string };
  }[];
  const times = new Map<string, number>();
  for (const event of events) {
    const kind = event.args?.op_name;
    if (event.cat !== "Node" || kind === undefined || !event.name.endsWith("kernel_time")) continue;
    times.set(kind, (times.get(kind) ?? 0) + event.dur / 1000);
  }
  return times;
}
