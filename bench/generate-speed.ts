/**
 * @file Tokens per second of sampling, against transformers' generate, in turn in the same run.
 *
 *   npx tsx bench/generate-speed.ts --model DIR --python PYTHON [--new-tokens 64] [--threads 2] [--runs 3] [--batches 1,32]
 *     [--modes greedy,sample] [--weights shared|constant] [--dtypes float32,bfloat16] [--json FILE]
 *
 * `--model tiny` makes a Llama of 0.9M parameters with random weights (width 128, 4 blocks, vocabulary 1000) in a temporary folder.
 * --weights is how weights are held; without it as culprit does by itself.
 * Prompts are 20 to 40 random tokens; no stop token, so both sides sample the same number. Times are those of the whole call,
 * prompts included, model loading and the first, unmeasured call left out. --dtypes says what transformers computes in, in turn.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { type Engine, openEngine, createRng } from "../src/index.ts";
import { inTurn, median, writeFindings } from "./support.ts";
import { startTransformers, type TransformersServer } from "./transformers-server.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    python: { type: "string", default: "python3" },
    "new-tokens": { type: "string", default: "64" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "3" },
    batches: { type: "string", default: "1,32" },
    modes: { type: "string", default: "greedy,sample" },
    weights: { type: "string" },
    dtypes: { type: "string", default: "float32" },
    json: { type: "string" },
  },
});
if (values.model === undefined) throw new Error("usage: see the head of this file");
const HELD = ["shared", "constant"] as const;
if (values.weights !== undefined && !HELD.some((each) => each === values.weights)) {
  throw new Error(`--weights: expected ${HELD.join(" or ")}, got ${values.weights}`);
}
const threads = Number(values.threads);
const newTokens = Number(values["new-tokens"]);
const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));

/** A small Llama with the tokenizer of the tests, whose vocabulary does not matter here. */
function makeTiny(): string {
  const dir = join(work, "tiny");
  const tokenizer = new URL("../test/golden/tokenizer/chatml", import.meta.url).pathname;
  const script = new URL("make-random-checkpoint.py", import.meta.url).pathname;
  const size =
    "--hidden 128 --intermediate 344 --layers 4 --heads 4 --kv-heads 4 --vocab 1000 --shards 1 --tied";
  execFileSync(values.python, [script, "--out", dir, ...size.split(" ")]);
  execFileSync("cp", [`${tokenizer}/tokenizer.json`, `${tokenizer}/tokenizer_config.json`, dir]);
  return dir;
}

interface Timing {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function runOurs(
  engine: Engine,
  prompts: readonly number[][],
  isSampling: boolean,
): Promise<Timing> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  let tokens = 0;
  for await (const each of engine.generate(
    prompts.map((prompt) => Int32Array.from(prompt)),
    {
      temperature: isSampling ? 1 : 0,
      maxTokens: newTokens,
      stopTokens: [],
      batch: prompts.length,
    },
  )) {
    tokens += each.tokens.length;
  }
  if (tokens !== newTokens * prompts.length) throw new Error(`sampled ${tokens} tokens`);
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** Ratios of the rates of each run, by yardstick, batch and mode. */
const found: Record<string, number[]> = {};

async function compare(
  engine: Engine,
  references: ReadonlyMap<string, TransformersServer>,
  { batch, isSampling }: { readonly batch: number; readonly isSampling: boolean },
): Promise<void> {
  const rng = createRng(1);
  const prompts = Array.from({ length: batch }, () =>
    Array.from({ length: 20 + rng.integer(21) }, () => 5 + rng.integer(600)),
  );
  const job = { prompts, newTokens, sample: isSampling };
  await runOurs(engine, prompts, isSampling);
  const theirRuns = new Map([...references.keys()].map((dtype) => [dtype, [] as Timing[]]));
  for (const reference of references.values()) await reference.generate(job);
  const ours: Timing[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    const [own, ...others] = await inTurn(run, [
      () => runOurs(engine, prompts, isSampling),
      ...[...references.values()].map((reference) => () => reference.generate(job)),
    ]);
    ours.push(own!);
    for (const [i, runs] of [...theirRuns.values()].entries()) runs.push(others[i]!);
  }
  for (const [dtype, theirs] of theirRuns) {
    printRatios({ dtype, batch, mode: isSampling ? "sample" : "greedy" }, ours, theirs);
  }
}

function printRatios(
  { dtype, batch, mode }: { readonly dtype: string; readonly batch: number; readonly mode: string },
  ours: readonly Timing[],
  theirs: readonly Timing[],
): void {
  const rate = (each: Timing): number => (batch * newTokens) / each.seconds;
  const ratios = ours.map((each, i) => rate(each) / rate(theirs[i]!));
  const cpuRatios = ours.map((each, i) => theirs[i]!.cpuSeconds / each.cpuSeconds);
  found[`${dtype}, batch ${batch}, ${mode}`] = ratios;
  const cells = [
    batch,
    mode,
    dtype,
    median(ours.map(rate)).toFixed(0),
    median(theirs.map(rate)).toFixed(0),
    `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)})`,
    median(cpuRatios).toFixed(2),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

const servers = new Map<string, TransformersServer>();
try {
  const model = values.model === "tiny" ? makeTiny() : values.model;
  await using engine = await openEngine(model, {
    threads,
    template: "raw",
    weights: HELD.find((each) => each === values.weights),
  });
  for (const dtype of values.dtypes.split(",")) {
    servers.set(dtype, await startTransformers(values.python, model, threads, dtype));
  }
  const [{ versions }] = [...servers.values()] as [TransformersServer];
  console.log(`${values.model}, ${threads} threads, ${JSON.stringify(versions)}`);
  console.log(
    "| batch | mode | transformers in | culprit tokens/s | transformers tokens/s | ratio (range) | ratio of processor time |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const batch of values.batches.split(",").map(Number)) {
    for (const mode of values.modes.split(",")) {
      await compare(engine, servers, { batch, isSampling: mode === "sample" });
    }
  }
  writeFindings(values.json, { versions, rows: found });
} finally {
  for (const server of servers.values()) server[Symbol.dispose]();
  rmSync(work, { recursive: true, force: true });
}
