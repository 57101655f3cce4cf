/**
 * @file Embedding speed and values against PyTorch, in turn in the same run: the published code's loop of one pair at a time, and two loops
 * that somebody who knows PyTorch would write, in float32 and bfloat16.
 *
 *   npm run build
 *   npx tsx bench/embed-speed.ts --python PYTHON --model DIR --pairs FILE.jsonl.gz
 *     [--limit 300] [--layer 20] [--threads 2] [--runs 3] [--chunks 3] [--ways loop/float32,...] [--precision F32]
 *     [--json FILE]
 *
 * bench/embed_speed_reference.py says what the loops do. All hold their model loaded, and work on the same pairs, a chunk at a time, each in
 * its turn, so that other work on the machine falls on all alike. A round is all chunks once; the ratio of a round is of its sums. The
 * whole command, loading and writing included, is timed as well, once a round. The clock and processor time are compared: other work moves
 * the second less, but threads that wait for each other count in it, so it says something with --threads 1 alone. PYTHON has torch and
 * transformers. --precision is Culprit's.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { TokenizedExample } from "../src/engine/engine.ts";
import { PRECISIONS } from "../src/engine/precision.ts";
import { openSafetensors } from "../src/format/safetensors.ts";
import { openEngine, openPairs } from "../src/index.ts";
import { PyTorchLoops, type Took } from "./pytorch-loops.ts";
import { matrixPeak, median, processorFeatures, writeFindings } from "./support.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    model: { type: "string" },
    pairs: { type: "string" },
    limit: { type: "string", default: "300" },
    layer: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "3" },
    chunks: { type: "string", default: "3" },
    precision: { type: "string", default: "F32" },
    json: { type: "string" },
    ways: {
      type: "string",
      default: "loop/float32,batched/float32,packed/float32,batched/bfloat16,packed/bfloat16",
    },
  },
});
const { model, pairs } = values;
const precision = PRECISIONS.find((each) => each === values.precision);
if (model === undefined || pairs === undefined || precision === undefined) {
  throw new Error("usage: see the head of this file");
}
const layer = Number(values.layer);
const threads = Number(values.threads);
const ways = values.ways.split(",");
const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
const print = (line = ""): void => void process.stdout.write(`${line}\n`);

const addUp = (a: Took, b: Took): Took => ({
  seconds: a.seconds + b.seconds,
  cpuSeconds: a.cpuSeconds + b.cpuSeconds,
});

/** The whole command, loading and writing included. */
function wholeCommand(): Took {
  const store = join(work, "store");
  rmSync(store, { recursive: true, force: true });
  const start = performance.now();
  const words = ["embed", pairs!, "--checkpoint", model!, "--layers", values.layer, "--out", store];
  const settings = [
    "--limit",
    values.limit,
    "--threads",
    values.threads,
    "--precision",
    precision!,
    "--quiet",
  ];
  // The shell's second line of `times` has what its children took.
  const command = [process.execPath, "dist/cli/main.js", ...words, ...settings];
  const shell = ["-c", '"$@" > /dev/null 2>&1 || exit 1; times', "sh", ...command];
  const out = execFileSync("sh", shell, { encoding: "utf8" });
  const seconds = (performance.now() - start) / 1000;
  const parts = [...out.split("\n")[1]!.matchAll(/(\d+)m([\d.]+)s/g)];
  const cpuSeconds = parts.reduce((sum, [, min, sec]) => sum + 60 * Number(min) + Number(sec), 0);
  return { seconds, cpuSeconds };
}

interface Cosines {
  readonly smallest: number;
  readonly middle: number;
}

function cosines(ours: readonly Float32Array[], theirs: Float32Array): Cosines {
  const found = ours.map((vector, i) => {
    let [dot, a, b] = [0, 0, 0];
    for (const [k, x] of vector.entries()) {
      const y = theirs[i * vector.length + k]!;
      dot += x * y;
      a += x * x;
      b += y * y;
    }
    return dot / Math.sqrt(a * b);
  });
  return { smallest: Math.min(...found), middle: median(found) };
}

const below1 = (cosine: number): string => `1 − ${(1 - cosine).toExponential(1)}`;

try {
  await using engine = await openEngine(model, { threads, precision });
  const examples: TokenizedExample[] = [];
  const set = await openPairs([pairs], { limit: Number(values.limit) });
  for await (const row of set.read()) {
    if (row.kind === "pair") {
      examples.push(engine.tokenize(row.prompt, [row.chosen, row.rejected]));
    }
  }
  const loops = new PyTorchLoops(examples, {
    python: values.python,
    model,
    layer,
    threads,
    ways,
    job: join(work, "job.json"),
  });
  const versions = await loops.versions();
  print(`${cpus()[0]!.model} (${processorFeatures()}), ${threads} threads of ${cpus().length}.`);
  print(`Node ${process.version}; PyTorch: ${JSON.stringify(versions)}.`);

  const ours: Float32Array[] = [];
  const embed = async (from: number, to: number): Promise<Took> => {
    const start = performance.now();
    const cpuStart = process.cpuUsage();
    for await (const { index, means } of engine.embed(examples.slice(from, to), {
      layers: [layer],
    })) {
      const [chosen, rejected] = means as readonly [Float32Array, Float32Array]; // two responses went in
      ours[from + index] = chosen.map((x, k) => x - rejected[k]!);
    }
    const { user, system } = process.cpuUsage(cpuStart);
    return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
  const tookOf = (way: string, from: number, to: number): Promise<Took> =>
    way === "culprit" ? embed(from, to) : loops.embed(way, from, to);

  const all = ["culprit", ...ways];
  for (const way of all) await tookOf(way, 0, 2); // warm
  const chunk = Math.ceil(examples.length / Number(values.chunks));
  const rounds: Map<string, Took>[] = [];
  for (let round = 0; round < Number(values.runs); round++) {
    const sums = new Map<string, Took>(all.map((way) => [way, { seconds: 0, cpuSeconds: 0 }]));
    for (let from = 0, turn = round; from < examples.length; from += chunk, turn++) {
      const order = all.map((_, i) => all[(i + turn) % all.length]!);
      for (const way of order) {
        const to = Math.min(from + chunk, examples.length);
        sums.set(way, addUp(sums.get(way)!, await tookOf(way, from, to)));
      }
    }
    sums.set("command", wholeCommand());
    rounds.push(sums);
  }

  print(`${examples.length} pairs, layer ${layer}, ${rounds.length} rounds.\n`);
  print(
    "| PyTorch | its pairs/s | culprit by it | range | processor time | range | whole command by it | median cosine | smallest cosine |",
  );
  print("|---|---|---|---|---|---|---|---|---|");
  const found: Record<string, readonly number[]> = {};
  const ratios = (way: string, of: "culprit" | "command", by: keyof Took): string => {
    const each = rounds.map((sums) => sums.get(way)![by] / sums.get(of)![by]);
    const range = `${Math.min(...each).toFixed(2)} to ${Math.max(...each).toFixed(2)}`;
    const middle = median(each).toFixed(2);
    return of === "command" ? middle : `${middle} | ${range}`;
  };
  for (const way of ways) {
    const rate = median(rounds.map((sums) => examples.length / sums.get(way)!.seconds));
    const [name, dtype] = way.split("/");
    const path = join(work, "vectors.safetensors");
    await loops.save(way, path);
    await using file = await openSafetensors(path);
    const bytes = (await file.readBytes("vectors")).slice();
    const { smallest, middle } = cosines(ours, new Float32Array(bytes.buffer));
    found[`${way}, median cosine`] = [middle];
    const [clock, processor] = (["seconds", "cpuSeconds"] as const).map((by) =>
      ratios(way, "culprit", by),
    );
    print(
      `| ${name}, ${dtype} | ${rate.toFixed(2)} | ${clock} | ${processor} | ${ratios(way, "command", "seconds")} | ${below1(middle)} | ${below1(smallest)} |`,
    );
  }
  loops.end();
  writeFindings(values.json, {
    versions,
    rows: {
      ...Object.fromEntries(
        ways.map((way) => [
          way,
          rounds.map((sums) => sums.get(way)!.seconds / sums.get("culprit")!.seconds),
        ]),
      ),
      ...found,
    },
  });
  const rate = median(rounds.map((sums) => examples.length / sums.get("culprit")!.seconds));
  const command = median(rounds.map((sums) => examples.length / sums.get("command")!.seconds));
  const peak = await matrixPeak(threads);
  print(
    `\nculprit: ${rate.toFixed(2)} pairs/s, as a whole command ${command.toFixed(2)}; one 1024³ product at ${peak.toFixed(0)} GFLOP/s.`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
