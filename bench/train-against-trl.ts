/**
 * @file `culprit train` against TRL's DPOTrainer: the same pairs in the same order, 50 steps, on any checkpoint.
 *
 *   npx tsx bench/train-against-trl.ts --python PYTHON [--model DIR] [--pairs FILE] [--steps 50] [--batch-size 4] [--learning-rate 5e-4]
 *
 * Without --model and --pairs: a random Llama of 20,000 weights and random pairs. Prints the largest differences of loss, margins and
 * log-probabilities over the steps, and fails where the losses part by 1e-3. test/train-curves.test.ts holds the same to committed curves.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openEngine, openPairs, trainDpo, type TrainPair } from "../src/index.ts";
import { tinyPairs, writeTinyCheckpoint } from "../test/support/tiny-training.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    model: { type: "string" },
    pairs: { type: "string" },
    steps: { type: "string", default: "50" },
    "batch-size": { type: "string", default: "4" },
    "learning-rate": { type: "string", default: "5e-4" },
  },
});
const steps = Number(values.steps);
const batchSize = Number(values["batch-size"]);
const work = mkdtempSync(join(tmpdir(), "culprit-trl-"));

async function readPairs(count: number): Promise<TrainPair[]> {
  if (values.pairs === undefined) return tinyPairs(count);
  const found: TrainPair[] = [];
  for await (const row of (await openPairs([values.pairs])).read()) {
    if (row.kind === "pair" && found.length < count) found.push(row);
  }
  return found;
}

try {
  const checkpoint = values.model ?? join(work, "start");
  if (values.model === undefined) await writeTinyCheckpoint(checkpoint);
  const pairs = await readPairs(steps * batchSize);
  const settings = {
    batchSize,
    epochs: Math.ceil((steps * batchSize) / pairs.length),
    learningRate: Number(values["learning-rate"]),
    schedule: "linear",
    warmupSteps: 5,
    weightDecay: 0.01,
    maxGradNorm: 1,
    beta: 0.2,
    lengthNormalized: false,
  } as const;
  const out = join(work, "ours");
  await trainDpo(pairs, { ...settings, shuffle: false }, { checkpoint, out });
  const ours = readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number>);

  await using engine = await openEngine(checkpoint);
  const job = pairs.map((pair) => {
    const { prompt, responses } = engine.tokenize(pair.prompt, [pair.chosen, pair.rejected]);
    return { prompt: [...prompt], chosen: [...responses[0]!], rejected: [...responses[1]!] };
  });
  writeFileSync(join(work, "job.json"), JSON.stringify({ pairs: job, settings }));
  const script = fileURLToPath(new URL("trl_reference.py", import.meta.url));
  const result = join(work, "theirs.json");
  execFileSync(
    values.python,
    [script, "--model", checkpoint, "--job", join(work, "job.json"), "--out", result],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const theirs = JSON.parse(readFileSync(result, "utf8")) as Record<string, number[]>;
  const largest = (name: string): number =>
    Math.max(...theirs[name]!.map((value, step) => Math.abs(ours[step]![name]! - value)));
  process.stdout.write(`${ours.length} steps, ${theirs["loss"]!.length} of TRL's\n`);
  for (const name of ["loss", "margin", "chosenLogprob", "rejectedLogprob", "gradientNorm"]) {
    process.stdout.write(`${name}: differs by ${largest(name).toExponential(1)} at most\n`);
  }
  if (!(largest("loss") < 1e-3)) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true });
}
