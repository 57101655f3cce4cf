/**
 * @file Gradients of pairs, sketched, against PyTorch in the same run: a loop of one pair at a time, and the best that a user could write by
 * hand (batched by length, projected in hooks), the latter in float32 and bfloat16.
 *
 *   npm run build
 *   npx tsx bench/gradient-speed.ts --python PYTHON --model DIR --pairs FILE [--warmup DIR] [--limit 300] [--threads 2] [--runs 3]
 *
 * Without --warmup gradients are in all weights (--features gradient); with it, in the factors of the LoRA adapter that the run trained
 * (--features tracin, at its last kept state). Culprit's seconds are the whole command's, loading included; PyTorch's are those of the
 * pairs alone. PYTHON has torch, transformers and peft.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openEngine, openPairs } from "../src/index.ts";
import { openKeptStates } from "../src/training/kept-states.ts";
import { median } from "./support.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    model: { type: "string" },
    pairs: { type: "string" },
    warmup: { type: "string" },
    limit: { type: "string", default: "300" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "3" },
  },
});
const { model, pairs, warmup } = values;
if (model === undefined || pairs === undefined) throw new Error("usage: see the head of this file");
const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
const script = fileURLToPath(new URL("gradient_speed_reference.py", import.meta.url));
const YARDSTICKS = {
  "loop, fp32": ["--way", "loop"],
  "hooks, fp32": ["--way", "hooks"],
  "hooks, bf16": ["--way", "hooks", "--dtype", "bfloat16"],
} as const;

async function writeJob(path: string): Promise<void> {
  await using engine = await openEngine(model!);
  const set = await openPairs([pairs!], { limit: Number(values.limit) });
  const job: object[] = [];
  for await (const row of set.read()) {
    if (row.kind !== "pair") continue;
    const { prompt, responses } = engine.tokenize(row.prompt, [row.chosen, row.rejected]);
    const [chosen, rejected] = responses.map((ids) => [...ids]);
    job.push({ prompt: [...prompt], chosen, rejected });
  }
  writeFileSync(path, JSON.stringify({ pairs: job }));
}

const job = join(work, "job.json");
function runPython(words: readonly string[]): { seconds: number; difference?: number } {
  const adapter = adapterFolder === undefined ? [] : ["--adapter", adapterFolder];
  const shared = ["--model", model!, ...adapter, "--job", job, "--threads", values.threads];
  const out = execFileSync(values.python, [script, ...shared, ...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(out.trim().split("\n").at(-1)!) as { seconds: number };
}

const store = join(work, "store");
function runCulprit(): number {
  rmSync(store, { recursive: true, force: true });
  const start = performance.now();
  const what =
    warmup === undefined
      ? ["--features", "gradient", "--layers", "0"]
      : ["--features", "tracin", "--warmup", warmup, "--layers", `${lastStep}`];
  const shared = ["--checkpoint", model!, "--limit", values.limit, "--threads", values.threads];
  const words = ["embed", pairs!, ...shared, ...what, "--out", store, "--quiet"];
  execFileSync(process.execPath, ["dist/cli/main.js", ...words], { stdio: "ignore" });
  return (performance.now() - start) / 1000;
}

const states = warmup === undefined ? undefined : (await openKeptStates(warmup)).states;
const last = states?.at(-1);
const lastStep = last?.step;
const adapterFolder = last?.folder;
try {
  await writeJob(job);
  const { difference } = runPython(["--check"]);
  print(`${cpus()[0]!.model}, ${values.threads} threads, ${values.limit} pairs.`);
  print(`The two ways in PyTorch differ by ${difference!.toExponential(1)}, relative.\n`);
  const names = Object.keys(YARDSTICKS);
  print(`| run | ${names.map((name) => `PyTorch ${name}, s`).join(" | ")} | culprit, s |`);
  print(`|${"---|".repeat(names.length + 2)}`);
  const ratios = names.map((): number[] => []);
  for (let run = 1; run <= Number(values.runs); run++) {
    const theirs = Object.values(YARDSTICKS).map((words) => runPython(words).seconds);
    const ours = runCulprit();
    for (const [i, seconds] of theirs.entries()) ratios[i]!.push(seconds / ours);
    print(`| ${[run, ...[...theirs, ours].map((each) => each.toFixed(1))].join(" | ")} |`);
  }
  print("");
  for (const [i, name] of names.entries()) {
    const all = ratios[i]!;
    const range = `${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}`;
    print(`${median(all).toFixed(2)} times the speed of PyTorch ${name} (${range})`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
