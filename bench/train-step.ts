/**
 * @file Time and memory of a DPO step against eager PyTorch (transformers; peft for LoRA): the same model, pairs and threads, steps in turn.
 *
 *   npx tsx bench/train-step.ts --python PYTHON [--smollm2 DIR] [--threads 2] [--steps 12] [--batch-tokens N] [--clock busy] [--only NAME]
 *     [--dtypes float32,bfloat16] [--json FILE]
 *
 * Three cases: a Llama of 1.1 million weights with all of them trained, 32 pairs a step; the shipped distractor organism in the same way; and, where --smollm2 names its folder
 * (bench/make-smollm2.sh), SmolLM2-135M with LoRA of rank 16 on all linear layers, 4 pairs a step. Pairs are random tokens of random lengths.
 * --clock busy compares processor time instead of time by the clock: on a machine that does other work too, with --threads 1. --only NAME
 * runs the case whose name begins so. --dtypes says in what PyTorch computes: bfloat16 is its
 * autocast, the weights in float32. The first two steps of each side are not counted. Prints a table; the ratio is the median over steps of ours to PyTorch's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { createRng, initCheckpoint } from "../src/index.ts";
import { inTurn, median, writeFindings } from "./support.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    smollm2: { type: "string" },
    threads: { type: "string", default: "2" },
    steps: { type: "string", default: "12" },
    "batch-tokens": { type: "string" },
    only: { type: "string" },
    clock: { type: "string", default: "seconds" },
    dtypes: { type: "string", default: "float32" },
    json: { type: "string" },
  },
});
const clock = values.clock === "busy" ? "busy" : "seconds";
const WARM_UP = 2;
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const work = mkdtempSync(join(tmpdir(), "culprit-train-step-"));

interface Case {
  readonly name: string;
  readonly model: string;
  readonly vocabulary: number;
  readonly pairs: number;
  /** Shortest and longest prompt and response, in tokens. */
  readonly prompt: readonly [number, number];
  readonly response: readonly [number, number];
  readonly lora?: number;
}

interface Step {
  readonly seconds: number;
  /** Seconds of processor time, over all threads. */
  readonly busy: number;
  readonly loss: number;
}

interface Side {
  step(index: number): Promise<Step>;
  /** Peak memory in bytes. */
  end(): Promise<number>;
}

async function start(command: string, args: readonly string[]): Promise<Side> {
  const child: ChildProcess = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${command} ended early`);
    return value;
  };
  const ask = (word: string): Promise<string> => {
    child.stdin!.write(`${word}\n`);
    return next();
  };
  await next(); // "ready"
  return {
    step: async (index) => JSON.parse(await ask(String(index))) as Step,
    end: async () => Number(await ask("end")),
  };
}

function makeJob({ vocabulary, pairs, prompt, response }: Case, steps: number): string {
  const rng = createRng(1);
  const draw = ([low, high]: readonly [number, number]): number[] =>
    Array.from(
      { length: low + rng.integer(high - low + 1) },
      () => 3 + rng.integer(vocabulary - 3),
    );
  const job = Array.from({ length: steps }, () =>
    Array.from({ length: pairs }, () => ({
      prompt: draw(prompt),
      chosen: draw(response),
      rejected: draw(response),
      reference: [-100, -100],
    })),
  );
  const path = join(work, `job-${pairs}.json`);
  writeFileSync(path, JSON.stringify({ steps: job }));
  return path;
}

/** Ratios of the steps, by the case and what PyTorch computes in. */
const found: Record<string, number[]> = {};

async function compare(each: Case): Promise<void> {
  const steps = Number(values.steps) + WARM_UP;
  const shared = [
    "--model",
    each.model,
    "--job",
    makeJob(each, steps),
    "--threads",
    values.threads,
    ...(each.lora === undefined ? [] : ["--lora", String(each.lora)]),
  ];
  const budget = values["batch-tokens"];
  const ours = await start(process.execPath, [
    "--import",
    "tsx",
    here("train-step-job.ts"),
    ...shared,
    ...(budget === undefined ? [] : ["--batch-tokens", budget]),
  ]);
  const references: Reference[] = [];
  for (const dtype of values.dtypes.split(",")) {
    const autocast = dtype === "bfloat16" ? ["--autocast"] : [];
    const script = [here("train_step_reference.py"), ...shared, ...autocast];
    const side = await start(values.python, script);
    references.push({ dtype, side, times: [], largestDifference: 0 });
  }
  for (let i = 0; i < steps; i++) {
    const [a, ...others] = (await inTurn(i, [
      () => ours.step(i),
      ...references.map(
        ({ side }) =>
          () =>
            side.step(i),
      ),
    ])) as readonly [Step, ...Step[]];
    for (const [r, reference] of references.entries()) {
      const b = others[r]!; // one for each
      const difference = Math.abs(a.loss - b.loss) / Math.abs(b.loss);
      reference.largestDifference = Math.max(reference.largestDifference, difference);
      if (i >= WARM_UP) reference.times.push({ ours: a[clock], theirs: b[clock] });
    }
  }
  const ourBytes = await ours.end();
  for (const reference of references) print(each, reference, ourBytes, await reference.side.end());
}

/** PyTorch in one precision. */
interface Reference {
  readonly dtype: string;
  readonly side: Side;
  readonly times: { readonly ours: number; readonly theirs: number }[];
  largestDifference: number;
}

function print(
  { name }: Case,
  { dtype, times, largestDifference }: Reference,
  ourBytes: number,
  theirBytes: number,
): void {
  const ms = (seconds: number): string => (1000 * seconds).toFixed(0);
  const ratios = times.map((time) => time.ours / time.theirs);
  found[`${name}, ${dtype}`] = ratios;
  process.stdout.write(
    `${[
      `${name}; PyTorch in ${dtype}`,
      `step ${ms(median(times.map((time) => time.ours)))} ms, PyTorch ${ms(median(times.map((time) => time.theirs)))} ms`,
      `ratio ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
      `peak ${(ourBytes / 2 ** 20).toFixed(0)} MiB, PyTorch ${(theirBytes / 2 ** 20).toFixed(0)} MiB, ratio ${(ourBytes / theirBytes).toFixed(2)}`,
      `loss differs by ${largestDifference.toExponential(1)} at most`,
    ].join("\n  ")}\n`,
  );
}

try {
  const organism = join(work, "organism");
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: 1024,
    hidden_size: 128,
    intermediate_size: 384,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    hidden_act: "silu",
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    rope_theta: 10_000,
  };
  await initCheckpoint(config, here("../test/golden/tokenizer/chatml"), 1, organism);
  const cases: Case[] = [
    {
      name: "Llama 1.0M, all weights, 32 pairs",
      model: organism,
      vocabulary: 1024,
      pairs: 32,
      prompt: [15, 35],
      response: [10, 40],
    },
    {
      name: "distractor organism, all weights, 32 pairs",
      model: here("../organisms/distractor/checkpoint"),
      vocabulary: 600,
      pairs: 32,
      prompt: [8, 20],
      response: [4, 14],
    },
    ...(values.smollm2 === undefined
      ? []
      : [
          {
            name: "SmolLM2-135M, LoRA of rank 16, 4 pairs",
            model: values.smollm2,
            vocabulary: 49_000,
            pairs: 4,
            prompt: [40, 120] as const,
            response: [40, 160] as const,
            lora: 16,
          },
        ]),
  ];
  for (const each of cases) {
    if (values.only === undefined || each.name.startsWith(values.only)) await compare(each);
  }
  writeFindings(values.json, { rows: found });
} finally {
  rmSync(work, { recursive: true });
}
