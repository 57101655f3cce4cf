/**
 * @file The whole table of speeds with one command: every benchmark that has a goal, one after the other, as one Markdown table.
 *
 *   npm run build
 *   npm run bench:speed -- --python PYTHON --model SMOLLM2_DIR --pairs HH.jsonl.gz [--old DIR] [--responses RESPONSES.jsonl]
 *     [--rows embed,rank] [--threads 2] [--precision W8A8] [--work DIR] [--quick]
 *
 * PYTHON has torch, transformers and peft; SMOLLM2_DIR is made by bench/make-smollm2.sh, RESPONSES.jsonl, for the
 * two passes, by bench/xstest-response-pairs.ts. --old is an installed and built checkout of
 * 84958e5; without it one is made in a git worktree below the work folder (git, npm ci and a build) and removed at the end. --precision is what the 7B-shaped
 * model is embedded with. --rows takes names of benchmarks (the first column of the table);
 * of the others only what was found before is shown.
 *
 * Each benchmark writes what it found with --json to the work folder (default: culprit-speed in the system's temporary folder), under the
 * commit that was measured and what the command was given. A benchmark whose file is there is not run again: after an interruption the same command goes on. Beside it lies
 * what the benchmark printed. A row that cannot be measured stays in the table and says why. --quick takes sizes that are good for a trial alone.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { type Findings, median, processorFeatures } from "./support.ts";

const OLD_COMMIT = "84958e5";
const here = join(import.meta.dirname, "..");

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    model: { type: "string" },
    pairs: { type: "string" },
    old: { type: "string" },
    responses: { type: "string" },
    rows: { type: "string" },
    threads: { type: "string", default: `${availableParallelism()}` },
    precision: { type: "string", default: "W8A8" },
    work: { type: "string", default: join(tmpdir(), "culprit-speed") },
    quick: { type: "boolean", default: false },
  },
});
const { quick, threads, precision } = values;
/** The size for a trial, or the one that the goal is about. */
const size = (trial: string, whole: string): string => (quick ? trial : whole);

/** What a benchmark cannot run without. */
const NEEDS = {
  python: "no --python",
  model: "no --model",
  pairs: "no --pairs",
  responses: "no --responses",
  old: `no build of ${OLD_COMMIT}`,
} as const;
type Need = keyof typeof NEEDS;

/** A line of the table. */
interface Row {
  readonly what: string;
  readonly yardstick: string;
  /** What the middle value must reach, or must not exceed; none: it is told for comparison. */
  readonly goal?: { readonly least: number } | { readonly most: number };
  /** Its values in what the benchmark found, one for each run; none where they are missing. */
  readonly values: (rows: Findings["rows"]) => readonly number[];
  readonly digits?: number;
}

interface Benchmark {
  readonly name: string;
  /** In bench/. */
  readonly script: string;
  readonly needs: readonly Need[];
  readonly arguments: () => readonly string[];
  readonly rows: readonly Row[];
}

const valuesOf =
  (key: string) =>
  (rows: Findings["rows"]): readonly number[] =>
    rows[key] ?? [];
/** Run by run the smallest, that is against the fastest of the yardsticks. */
const smallestOf =
  (...keys: string[]) =>
  (rows: Findings["rows"]): readonly number[] => {
    const found = keys.map((key) => rows[key] ?? []);
    return (found[0] ?? []).map((_, run) => Math.min(...found.map((each) => each[run]!)));
  };
/** Of one exact pass, where two-pass.ts gives both. */
const onePass = (ways: readonly string[]): Row["values"] =>
  smallestOf(...ways.map((way) => `one pass, ${way}`));
const LOOP = "loop/float32";
const GOOD_FLOAT32 = ["batched/float32", "packed/float32"];
const GOOD_BFLOAT16 = ["batched/bfloat16", "packed/bfloat16"];

const checkpoint = (): readonly string[] => [
  "--model",
  values.model!,
  "--pairs",
  values.pairs!,
  "--threads",
  threads,
];
/** Checkpoints of random weights: the shape of 7B, and of 1.2B with its table apart. */
const MODELS = {
  big: quick
    ? {
        name: "random-small",
        layers: "3",
        what: "4 blocks x 256",
        shape: "--hidden 256 --intermediate 688 --layers 4 --heads 4 --kv-heads 4 --shards 1",
      }
    : {
        name: "random-7b",
        layers: "20",
        what: "32 blocks x 4096",
        shape: "--hidden 4096 --intermediate 11008 --layers 32 --heads 32 --kv-heads 32 --shards 8",
      },
  middle: quick
    ? {
        name: "random-small",
        layers: "4",
        what: "4 blocks x 256",
        shape: "--hidden 256 --intermediate 688 --layers 4 --heads 4 --kv-heads 4 --shards 1",
      }
    : {
        name: "random-1b",
        layers: "16",
        what: "16 blocks x 2048",
        shape: "--hidden 2048 --intermediate 8192 --layers 16 --heads 32 --kv-heads 8 --shards 4",
      },
} as const;
const bigLayer = MODELS.big.layers;
const embedded = `${size("24", "300")} hh-rlhf pairs, SmolLM2-135M, layer 20`;
const big = `${size("4", "20")} pairs, random Llama of ${MODELS.big.what}, layer ${bigLayer}, ${precision}`;
const stored = `${size("5,000", "378,339")} x ${size("256", "4096")} fp16`;
/** The one that computes least; a pass of such a model takes minutes. */
const BIG_WAY = "packed/bfloat16";
const trained = "SmolLM2-135M, LoRA of rank 16, 4 pairs";

const BENCHMARKS: readonly Benchmark[] = [
  {
    name: "embed",
    script: "two-pass.ts",
    needs: ["python", "model", "pairs", "responses"],
    arguments: () => [
      "--python",
      values.python!,
      ...checkpoint(),
      "--responses",
      values.responses!,
      "--ways",
      [LOOP, ...GOOD_FLOAT32, ...GOOD_BFLOAT16].join(),
      "--limit",
      size("24", "300"),
      "--runs",
      size("2", "3"),
    ],
    rows: [
      {
        what: `embed ${embedded}, float32`,
        yardstick: "a good float32 loop in PyTorch (batched or packed, the faster)",
        goal: { least: 1.8 },
        values: onePass(GOOD_FLOAT32),
      },
      {
        what: `the same`,
        yardstick: "a good bfloat16 loop in PyTorch",
        values: onePass(GOOD_BFLOAT16),
      },
      {
        what: `the same`,
        yardstick: "the paper's loop, one pair at a time",
        values: onePass([LOOP]),
      },
      {
        what: `the same in two passes: recall of the exact top 1%`,
        yardstick: "float32 vectors of all pairs",
        goal: { least: 0.99 },
        values: valuesOf("recall of the top 1%"),
      },
      {
        what: `the same in two passes`,
        yardstick: "a good float32 loop in PyTorch",
        goal: { least: 3 },
        values: smallestOf(...GOOD_FLOAT32),
      },
      {
        what: `the same in two passes`,
        yardstick: "a good bfloat16 loop in PyTorch",
        goal: { least: 1.5 },
        values: smallestOf(...GOOD_BFLOAT16),
      },
      {
        what: `the same in two passes`,
        yardstick: "the paper's loop, one pair at a time",
        goal: { least: 8 },
        values: valuesOf(LOOP),
      },
    ],
  },
  {
    name: "big-memory",
    script: "embed-memory.ts",
    needs: ["python", "model", "pairs"],
    arguments: () => [
      "--model",
      makeModel("big"),
      "--pairs",
      values.pairs!,
      "--threads",
      threads,
      "--limits",
      size("4", "20"),
      "--layers",
      bigLayer,
      "--precision",
      precision,
    ],
    rows: [
      {
        what: `embed ${big}: peak memory, GB`,
        yardstick: "none",
        goal: { most: 12 },
        values: (rows) => valuesOf(`${precision}, peak MB`)(rows).map((each) => each / 1000),
      },
    ],
  },
  {
    name: "middle-memory",
    script: "embed-memory.ts",
    needs: ["python", "model", "pairs"],
    arguments: () => [
      "--model",
      makeModel("middle"),
      "--pairs",
      values.pairs!,
      "--threads",
      threads,
      "--limits",
      size("4", "20"),
      "--layers",
      MODELS.middle.layers,
      "--precision",
      "INT8,W8A8",
    ],
    rows: ["INT8", "W8A8"].map((each) => ({
      what: `embed ${size("4", "20")} pairs, random Llama of ${MODELS.middle.what}, all blocks, ${each}: peak memory, GB`,
      yardstick: "none",
      goal: { most: 2.5 },
      values: (rows) => valuesOf(`${each}, peak MB`)(rows).map((megabytes) => megabytes / 1000),
    })),
  },
  {
    name: "big-speed",
    script: "embed-speed.ts",
    needs: ["python", "model", "pairs"],
    arguments: () => [
      "--python",
      values.python!,
      "--model",
      makeModel("big"),
      "--pairs",
      values.pairs!,
      "--threads",
      threads,
      "--limit",
      size("4", "20"),
      "--layer",
      bigLayer,
      "--chunks",
      "1",
      "--precision",
      precision,
      "--runs",
      size("2", "3"),
      "--ways",
      BIG_WAY,
    ],
    rows: [
      {
        what: `embed ${big}`,
        yardstick: "a good bfloat16 loop in PyTorch (packed)",
        goal: { least: 1.5 },
        values: valuesOf(BIG_WAY),
      },
      {
        what: `the same: median cosine of its vectors`,
        yardstick: "the loop in bfloat16, itself rounded",
        values: valuesOf(`${BIG_WAY}, median cosine`),
        digits: 5,
      },
    ],
  },
  {
    name: "int8-vectors",
    script: "int8-vectors.ts",
    needs: ["model", "pairs"],
    arguments: () => [...checkpoint(), "--limit", size("20", "2264")],
    rows: ["INT8", "W8A8"].flatMap((each) => [
      {
        what: `vectors of ${size("20", "2,264")} pairs by ${each}: cosine, median and range of pairs`,
        yardstick: "float32 vectors",
        goal: { least: 0.9995 },
        values: valuesOf(`${each}, cosine`),
        digits: 5,
      },
      {
        what: `rankings by these: Spearman, by the mean vector`,
        yardstick: "float32 vectors",
        goal: { least: 0.998 },
        values: valuesOf(`${each}, Spearman by the mean vector`),
        digits: 5,
      },
      {
        what: `rankings by these: Spearman, the lowest of 8 random directions`,
        yardstick: "float32 vectors",
        goal: { least: 0.998 },
        values: (rows) => [Math.min(...valuesOf(`${each}, Spearman by random directions`)(rows))],
        digits: 5,
      },
    ]),
  },
  {
    name: "rank",
    script: "rank-store.ts",
    needs: [],
    arguments: () => [
      "--rows",
      size("5000", "378339"),
      "--dim",
      size("256", "4096"),
      "--runs",
      size("2", "5"),
      "--jobs",
      "one,one-null,many,command,command-many",
    ],
    rows: [
      {
        what: `rank ${stored}: whole command, one behaviour with 64 null directions, times the yardstick`,
        yardstick: "reading the files, two reads at a time",
        goal: { most: 3 },
        values: valuesOf("command"),
      },
      {
        what: `rank ${stored}: scoring one behaviour`,
        yardstick: "the same",
        goal: { most: 1.3 },
        values: valuesOf("one"),
      },
      {
        what: `rank ${stored}: scoring one behaviour with 64 null directions`,
        yardstick: "the same",
        values: valuesOf("one-null"),
      },
      {
        what: `rank ${stored}: scoring 150 behaviours, one of them sorted`,
        yardstick: "the same",
        goal: { most: 6 },
        values: valuesOf("many"),
      },
      {
        what: `rank ${stored}: whole command, 150 behaviours`,
        yardstick: "the same",
        goal: { most: 6 },
        values: valuesOf("command-many"),
      },
      {
        what: `rank ${stored}: peak memory of the whole commands, MB`,
        yardstick: "none",
        goal: { most: 1000 },
        values: (rows) => [
          Math.max(
            ...["command, peak MB", "command-many, peak MB"].flatMap((key) => valuesOf(key)(rows)),
          ),
        ],
      },
    ],
  },
  {
    name: "demo",
    script: "demo-speed.ts",
    needs: ["old"],
    arguments: () => [oldBuild(), "--runs", size("1", "3")],
    rows: [
      {
        what: "culprit demo, times the yardstick",
        yardstick: `the build of ${OLD_COMMIT}`,
        goal: { most: 0.5 },
        values: valuesOf("demo"),
      },
    ],
  },
  {
    name: "generate",
    script: "generate-speed.ts",
    needs: ["python", "model"],
    arguments: () => [
      "--python",
      values.python!,
      "--model",
      values.model!,
      "--threads",
      threads,
      "--batches",
      "1,32",
      "--modes",
      "sample",
      "--dtypes",
      "float32,bfloat16",
      "--new-tokens",
      size("4", "64"),
      "--runs",
      size("2", "3"),
    ],
    rows: [1, 32].flatMap((batch) =>
      [
        { dtype: "float32", least: 2 },
        { dtype: "bfloat16", least: 1.2 },
      ].map(({ dtype, least }) => ({
        what: `sample from SmolLM2-135M, batch ${batch}`,
        yardstick: `transformers generate, ${dtype}`,
        goal: { least },
        values: valuesOf(`${dtype}, batch ${batch}, sample`),
      })),
    ),
  },
  {
    name: "train",
    script: "train-step.ts",
    needs: ["python", "model"],
    arguments: () => [
      "--python",
      values.python!,
      "--smollm2",
      values.model!,
      "--threads",
      threads,
      "--only",
      "SmolLM2",
      "--dtypes",
      "float32,bfloat16",
      "--steps",
      size("2", "12"),
    ],
    rows: [
      { dtype: "float32", most: 0.45, named: "float32" },
      { dtype: "bfloat16", most: 0.9, named: "bfloat16 autocast" },
    ].map(({ dtype, most, named }) => ({
      what: `DPO step, ${trained}, times the yardstick`,
      yardstick: `eager PyTorch, ${named}`,
      goal: { most },
      values: valuesOf(`${trained}, ${dtype}`),
    })),
  },
  {
    name: "startup",
    script: "startup.ts",
    needs: ["old"],
    arguments: () => [oldBuild(), "--runs", size("2", "15")],
    rows: ["culprit --help", "culprit audit, 36 pairs"].map((job) => ({
      what: `${job}: processor time, times the yardstick`,
      yardstick: `the build of ${OLD_COMMIT}`,
      goal: { most: 0.5 },
      values: valuesOf(job),
    })),
  },
];

const chosen = chooseBenchmarks();
const commit = git("rev-parse", "--short", "HEAD").trim();
const isDirty = git("status", "--porcelain", "--untracked-files=no").trim() !== "";
const folder = join(values.work, folderName());
mkdirSync(folder, { recursive: true });
let madeOld: string | undefined;
try {
  const outcomes = new Map<Benchmark, Findings | string>();
  for (const each of BENCHMARKS) {
    outcomes.set(
      each,
      foundBefore(each) ?? (chosen.includes(each) ? measure(each) : "not asked for"),
    );
  }
  process.stdout.write(`${describeMachine()}\n\n${tableOf(outcomes)}\n`);
} finally {
  if (madeOld !== undefined) git("worktree", "remove", "--force", madeOld);
}

/** Of what decides about figures: the code, and what the command was given. */
function folderName(): string {
  const { python, model, pairs, responses } = values;
  const given = JSON.stringify([python, model, pairs, responses, threads, precision]);
  const hash = createHash("sha256").update(given).digest("hex").slice(0, 8);
  return [commit, ...(isDirty ? ["changed"] : []), hash, ...(quick ? ["quick"] : [])].join("-");
}

function chooseBenchmarks(): readonly Benchmark[] {
  const names = values.rows?.split(",");
  const unknown = names?.find((name) => BENCHMARKS.every((each) => each.name !== name));
  if (unknown !== undefined) {
    const known = BENCHMARKS.map(({ name }) => name).join(", ");
    throw new Error(`--rows: expected some of ${known}, got ${unknown}`);
  }
  return BENCHMARKS.filter(({ name }) => names === undefined || names.includes(name));
}

/** What a benchmark found when the table was made before, of the same commit. */
function foundBefore({ name }: Benchmark): Findings | undefined {
  const path = join(folder, `${name}.json`);
  if (!existsSync(path)) return undefined;
  console.error(`${name}: there already`);
  return readFindings(path);
}

/** What a benchmark finds; or why there is nothing, in words. */
function measure(benchmark: Benchmark): Findings | string {
  const { name, script, needs } = benchmark;
  const path = join(folder, `${name}.json`);
  if (!existsSync(join(import.meta.dirname, script))) return `there is no bench/${script}`;
  const missing = needs.find((need) => need !== "old" && values[need] === undefined);
  if (missing !== undefined) return NEEDS[missing];
  console.error(`${name}: bench/${script} …`);
  const log = join(folder, `${name}.log`);
  try {
    const part = `${path}.part`;
    const given = ["--import", "tsx", join(import.meta.dirname, script), ...benchmark.arguments()];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...given, "--json", part], {
      cwd: here,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    writeFileSync(log, `${stdout}${stderr}`);
    if (status !== 0) return `bench/${script} failed, see ${log}`;
    renameSync(part, path); // whole or not at all
    return readFindings(path);
  } catch (error) {
    writeFileSync(log, String(error));
    return `it could not be prepared, see ${log}`;
  }
}

/** What a benchmark wrote. */
function readFindings(path: string): Findings {
  return JSON.parse(readFileSync(path, "utf8")) as Findings; // by writeFindings
}

/** The folder of a checkpoint of random weights, made where it is not there; that of 7B takes 13.5 GB. */
function makeModel(which: keyof typeof MODELS): string {
  const { name, shape } = MODELS[which];
  const made = join(values.work, name);
  if (existsSync(join(made, "config.json"))) return made;
  const script = join(import.meta.dirname, "make-random-checkpoint.py");
  const part = `${made}.part`;
  const given = [script, "--out", part, "--tokenizer", values.model!, ...shape.split(" ")];
  execFileSync(values.python!, given, { stdio: ["ignore", "ignore", "pipe"] });
  renameSync(part, made);
  return made;
}

/** A built checkout of the commit before. */
function oldBuild(): string {
  if (values.old !== undefined) return values.old;
  if (madeOld !== undefined) return madeOld;
  const path = join(values.work, `old-${OLD_COMMIT}-${process.pid}`);
  git("worktree", "add", "--detach", path, OLD_COMMIT);
  madeOld = path;
  console.error(`building ${OLD_COMMIT} …`);
  execFileSync("npm", ["ci"], { cwd: path, stdio: ["ignore", "ignore", "pipe"] });
  execFileSync("npm", ["run", "build"], { cwd: path, stdio: ["ignore", "ignore", "pipe"] });
  return path;
}

function git(...words: string[]): string {
  return execFileSync("git", words, { cwd: here, encoding: "utf8" });
}

function describeMachine(): string {
  const ort = JSON.parse(
    readFileSync(join(here, "node_modules/onnxruntime-node/package.json"), "utf8"),
  ) as { version: string };
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, commit ${commit}${isDirty ? " with changes" : ""}${quick ? ", --quick: sizes for a trial, the figures say nothing" : ""}`,
    `${cpus()[0]!.model} (${processorFeatures()}), ${threads} threads of ${cpus().length}`,
    `Node ${process.version}, onnxruntime-node ${ort.version}, ${pythonVersions()}`,
  ];
  return lines.map((line) => `- ${line}`).join("\n");
}

function pythonVersions(): string {
  if (values.python === undefined) return "no Python";
  const code =
    "import torch, transformers; print(f'PyTorch {torch.__version__}, transformers {transformers.__version__}')";
  try {
    return execFileSync(values.python, ["-c", code], { encoding: "utf8" }).trim();
  } catch {
    return "Python without PyTorch or transformers";
  }
}

function tableOf(outcomes: ReadonlyMap<Benchmark, Findings | string>): string {
  const lines = [
    "| row | what | yardstick | median [smallest, largest] | of | goal | |",
    "|---|---|---|---|---|---|---|",
  ];
  for (const [{ name, rows }, outcome] of outcomes) {
    for (const row of rows) {
      const cells = [name, row.what, row.yardstick, ...figuresOf(row, outcome)];
      lines.push(`| ${cells.join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

/** The value with its range, of how many (runs, steps or pairs, as the row says), the goal, and whether it is met. */
function figuresOf(
  { goal, values: pick, digits = 2 }: Row,
  outcome: Findings | string,
): readonly [string, string, string, string] {
  const wanted =
    goal === undefined
      ? "none"
      : "least" in goal
        ? `at least ${goal.least}`
        : `at most ${goal.most}`;
  if (typeof outcome === "string") return ["", "", wanted, `not measured: ${outcome}`];
  const found = pick(outcome.rows).filter((each) => Number.isFinite(each));
  if (found.length === 0) return ["", "", wanted, "not measured: the benchmark did not say it"];
  const middle = median(found);
  const show = (value: number): string => value.toFixed(digits);
  const range = `${show(middle)} [${show(Math.min(...found))}, ${show(Math.max(...found))}]`;
  const { length: count } = found;
  if (goal === undefined) return [range, `${count}`, wanted, ""];
  const isMet = "least" in goal ? middle >= goal.least : middle <= goal.most;
  return [range, `${count}`, wanted, isMet ? "met" : "missed"];
}
