/**
 * @file How time grows with the number of pairs, with how high a layer is and with how many layers are kept: whole commands, and the
 * exponent e of seconds ~ size^e.
 *
 *   npm run build
 *   npx tsx bench/cost-against-size.ts --python PYTHON --model SMOLLM2_DIR --pairs FILE.jsonl.gz --responses RESPONSES.jsonl
 *     [--sizes 100,316,1000,3162,10000] [--layer-pairs 1000] [--threads 2] [--runs 1] [--json FILE]
 *
 * The checkpoint is a Llama of 12 blocks of width 256 with random weights and the tokenizer of SMOLLM2_DIR, made in a temporary folder.
 * More pairs than FILE has are made of its texts, with their words in another order, so that no prompt comes twice. An exponent is
 * the slope of log seconds over log size, by least squares: over all sizes, and over the largest three, where starting counts little.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { openPairs } from "../src/index.ts";
import { createRng } from "../src/util/rng.ts";
import { median, processorFeatures, writeFindings } from "./support.ts";

const BLOCKS = 12;
const LAYERS = [1, 2, 4, 8, BLOCKS];

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    model: { type: "string" },
    pairs: { type: "string" },
    responses: { type: "string" },
    sizes: { type: "string", default: "100,316,1000,3162,10000" },
    "layer-pairs": { type: "string", default: "1000" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
const { model, pairs, responses } = values;
if (model === undefined || pairs === undefined || responses === undefined) {
  throw new Error("usage: see the head of this file");
}
const sizes = values.sizes.split(",").map(Number);
const layerPairs = Number(values["layer-pairs"]);
const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
const pathOf = (name: string): string => join(work, name);

/** Writes the first `count` pairs, or pairs made of them, as one file. */
async function writePairs(count: number): Promise<string> {
  const texts: { prompt: string; chosen: string; rejected: string }[] = [];
  const set = await openPairs([pairs!], { limit: Math.max(...sizes, layerPairs) });
  for await (const row of set.read()) {
    if (row.kind !== "pair") continue;
    const [prompt, chosen, rejected] = [row.prompt, row.chosen, row.rejected].map((messages) =>
      messages.map(({ content }) => content).join("\n"),
    ) as [string, string, string];
    texts.push({ prompt, chosen, rejected });
  }
  const rng = createRng(1);
  const shuffled = (text: string): string => rng.shuffle(text.split(/\s+/)).join(" ");
  const lines = Array.from({ length: count }, (_, i) => {
    const { prompt, chosen, rejected } = texts[i % texts.length]!;
    const own = i < texts.length ? prompt : shuffled(prompt);
    return JSON.stringify({ id: `pair-${i}`, prompt: own, chosen, rejected });
  });
  const path = pathOf(`pairs-${count}.jsonl`);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

/** Seconds of a command from the start of Node to its end: the median of the runs. `out` is removed before each. */
function secondsOf(given: readonly string[], out?: string): number {
  const main = join(import.meta.dirname, "../dist/cli/main.js");
  const took = Array.from({ length: Number(values.runs) }, () => {
    if (out !== undefined) rmSync(out, { recursive: true, force: true });
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [main, ...given], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) throw new Error(`culprit ${given[0]!}: ${stderr}`);
    return (performance.now() - start) / 1000;
  });
  return median(took);
}

/** The slope of log y over log x by least squares. */
function exponent(x: readonly number[], y: readonly number[]): number {
  const [u, v] = [x, y].map((each) => each.map(Math.log)) as [number[], number[]];
  const mean = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0) / of.length;
  const [mu, mv] = [mean(u), mean(v)];
  const over = u.reduce((sum, each, i) => sum + (each - mu) * (v[i]! - mv), 0);
  return over / u.reduce((sum, each) => sum + (each - mu) ** 2, 0);
}

const found: Record<string, readonly number[]> = {};
function tell(what: string, at: readonly number[], seconds: readonly number[]): void {
  const all = exponent(at, seconds);
  const last = exponent(at.slice(-3), seconds.slice(-3));
  const list = seconds.map((each) => each.toFixed(2)).join(", ");
  console.log(`| ${what} | ${at.join(", ")} | ${list} | ${all.toFixed(2)} | ${last.toFixed(2)} |`);
  found[`${what}, seconds`] = seconds;
  found[`${what}, exponent`] = [all];
  found[`${what}, exponent of the largest three`] = [last];
}

try {
  const checkpoint = pathOf("checkpoint");
  const shape = `--hidden 256 --intermediate 688 --layers ${BLOCKS} --heads 4 --kv-heads 4 --tied --shards 1`;
  const script = join(import.meta.dirname, "make-random-checkpoint.py");
  execFileSync(
    values.python,
    [script, "--out", checkpoint, "--tokenizer", model, ...shape.split(" ")],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const shared = ["--checkpoint", checkpoint, "--threads", values.threads, "--quiet"];
  const top = String(BLOCKS);
  const behavior = pathOf("behavior.safetensors");
  secondsOf(["behavior", responses, ...shared, "--layers", top, "--out", behavior]);
  const vectors = pathOf("vectors");
  const embed = (file: string, layers: string): number =>
    secondsOf(["embed", file, ...shared, "--layers", layers, "--out", vectors], vectors);

  console.log(
    `${cpus()[0]!.model} (${processorFeatures()}), ${values.threads} threads, Node ${process.version}; ${values.runs} runs.\n`,
  );
  console.log(
    "| command | size | seconds | exponent | of the largest three |\n|---|---|---|---|---|",
  );
  const took = { audit: [] as number[], embed: [] as number[], rank: [] as number[] };
  for (const size of sizes) {
    const file = await writePairs(size);
    took.audit.push(secondsOf(["audit", file]));
    took.embed.push(embed(file, top));
    took.rank.push(secondsOf(["rank", vectors, "--behavior", behavior]));
  }
  for (const [command, seconds] of Object.entries(took)) tell(`${command}, pairs`, sizes, seconds);
  const file = await writePairs(layerPairs);
  const highest = LAYERS.map((layer) => embed(file, String(layer)));
  tell(`embed ${layerPairs} pairs, highest layer`, LAYERS, highest);
  const kept = LAYERS.map((count) => embed(file, `${BLOCKS - count + 1}-${BLOCKS}`));
  tell(`embed ${layerPairs} pairs, layers kept`, LAYERS, kept);
  writeFindings(values.json, { rows: found });
} finally {
  rmSync(work, { recursive: true, force: true });
}
