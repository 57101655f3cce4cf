/**
 * @file Embedding in two passes (culprit embed --precision W8A8, culprit refine) against PyTorch loops, in turn in the same run, and how much
 * of the exact top it finds.
 *
 *   npm run build
 *   npx tsx bench/xstest-response-pairs.ts XSTEST_DIR responses.jsonl
 *   npx tsx bench/two-pass.ts --python PYTHON --model DIR --pairs FILE.jsonl.gz --responses responses.jsonl
 *     [--limit 300] [--layer 20] [--threads 2] [--runs 3] [--precision W8A8] [--top 1%] [--audit 2%] [--ways packed/float32,...]
 *     [--json FILE]
 *
 * bench/embed_speed_reference.py says what the loops do. Models are loaded before; what is timed of Culprit is both passes whole, the store
 * written, read and written again. The behaviour is of the response pairs, read in float32. The exact top is of one pass in float32 over all
 * pairs, in the same run. PYTHON has torch and transformers; `--ways none` leaves the loops out.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { rankStore } from "../src/attribution/rank-store.ts";
import { refineStore } from "../src/attribution/refine-store.ts";
import { readBehavior } from "../src/behavior/behavior-file.ts";
import type { Engine, TokenizedExample } from "../src/engine/engine.ts";
import { PRECISIONS } from "../src/engine/precision.ts";
import { openEngine, openPairs } from "../src/index.ts";
import { spearman } from "../src/stats/spearman.ts";
import { embedPairs } from "../src/store/embed-pairs.ts";
import { exactReader, writeRefined } from "../src/store/exact-rows.ts";
import { openStore, type VectorStore } from "../src/store/open-store.ts";
import { readStoreTable } from "../src/store/read-shard.ts";
import { PyTorchLoops } from "./pytorch-loops.ts";
import { inTurn, matrixPeak, median, processorFeatures, writeFindings } from "./support.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    model: { type: "string" },
    pairs: { type: "string" },
    responses: { type: "string" },
    limit: { type: "string", default: "300" },
    layer: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "3" },
    precision: { type: "string", default: "W8A8" },
    top: { type: "string", default: "1%" },
    audit: { type: "string", default: "2%" },
    ways: { type: "string", default: "packed/float32,packed/bfloat16" },
    json: { type: "string" },
  },
});
const { model, pairs: file, responses } = values;
const precision = PRECISIONS.find((each) => each === values.precision);
if (
  model === undefined ||
  file === undefined ||
  responses === undefined ||
  precision === undefined
) {
  throw new Error("usage: see the head of this file");
}
const layer = Number(values.layer);
const threads = Number(values.threads);
const ways = values.ways === "none" ? [] : values.ways.split(",");
const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
const print = (line = ""): void => void process.stdout.write(`${line}\n`);
const sizeOf = (text: string, all: number): number =>
  text.endsWith("%") ? Math.round((Number(text.slice(0, -1)) / 100) * all) : Number(text);

/** Seconds by the clock. */
async function timed<T>(what: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const start = performance.now();
  const value = await what();
  return { seconds: (performance.now() - start) / 1000, value };
}

const range = (found: readonly number[]): string =>
  `${median(found).toFixed(2)} | ${Math.min(...found).toFixed(2)} to ${Math.max(...found).toFixed(2)}`;

try {
  const behaviorFile = join(work, "behavior.safetensors");
  const given = ["behavior", responses, "--checkpoint", model, "--layers", values.layer, "--quiet"];
  const main = ["dist/cli/main.js", ...given, "--out", behaviorFile, "--threads", values.threads];
  execFileSync(process.execPath, main, { stdio: "ignore" });
  const behavior = await readBehavior(behaviorFile);
  await using exactly = await openEngine(model, { threads });
  await using roughly = await openEngine(model, { threads, precision });
  const pairs = await openPairs([file], { limit: Number(values.limit) });
  const examples: TokenizedExample[] = [];
  for await (const row of pairs.read()) {
    if (row.kind === "pair") {
      examples.push(exactly.tokenize(row.prompt, [row.chosen, row.rejected]));
    }
  }
  const loops =
    ways.length === 0
      ? undefined
      : new PyTorchLoops(examples, {
          python: values.python,
          model,
          layer,
          threads,
          ways,
          job: join(work, "job.json"),
        });
  const versions = await loops?.versions();
  print(`${cpus()[0]!.model} (${processorFeatures()}), ${threads} threads of ${cpus().length}.`);
  print(`Node ${process.version}; PyTorch: ${JSON.stringify(versions ?? "left out")}.`);

  const settings = { layers: [layer], template: "chat", maxTokens: 2048, shardRows: 2048 } as const;
  const embed = async (engine: Engine, name: string): Promise<VectorStore> => {
    const folder = join(work, name);
    rmSync(folder, { recursive: true, force: true });
    await embedPairs(engine, pairs, folder, settings);
    return openStore(folder);
  };
  const twoPasses = async () => {
    const first = await timed(() => embed(roughly, "first"));
    const directory = join(work, "refined");
    rmSync(directory, { recursive: true, force: true });
    const second = await timed(async () => {
      const { ids } = await readStoreTable(first.value);
      const { refinement, exact } = await refineStore(first.value, [behavior], {
        scorer: "cosine",
        recall: 0.99,
        seed: 0,
        threads,
        top: (scored) => Math.max(1, sizeOf(values.top, scored)),
        audit: (scored) => Math.max(20, Math.min(500, sizeOf(values.audit, scored))),
        read: exactReader(first.value, { engine: exactly, pairs, ids, directory }, {}),
      });
      await writeRefined(first.value, exact, refinement, directory);
      return refinement;
    });
    return { first, second, refined: await openStore(directory) };
  };

  // Warm: weights are read, graphs compiled.
  for (const engine of [exactly, roughly]) {
    for await (const _ of engine.embed(examples.slice(0, 2), { layers: [layer] })) void 0;
  }
  for (const way of ways) await loops!.embed(way, 0, 2);
  const rounds: {
    readonly loops: readonly number[];
    readonly once: number;
    readonly first: number;
    readonly second: number;
    readonly both: number;
  }[] = [];
  let last: Awaited<ReturnType<typeof twoPasses>> | undefined;
  let exactStore: VectorStore | undefined;
  for (let round = 0; round < Number(values.runs); round++) {
    let [first, second] = [0, 0];
    const [both, once, ...took] = await inTurn(round, [
      async () => {
        last = await twoPasses();
        [first, second] = [last.first.seconds, last.second.seconds];
        return first + second;
      },
      async () => {
        const { seconds, value } = await timed(() => embed(exactly, "exact"));
        exactStore = value;
        return seconds;
      },
      ...ways.map((way) => async () => (await loops!.embed(way, 0, examples.length)).seconds),
    ]);
    rounds.push({ loops: took, once: once!, first, second, both: both! });
  }
  loops?.end();

  const scoresOf = async (store: VectorStore): Promise<Float32Array> =>
    (await rankStore(store, [behavior], { nullDirections: 0 }))[0]!.scores;
  const [truth, scores] = [await scoresOf(exactStore!), await scoresOf(last!.refined)];
  const [claimed] = last!.second.value.tops;
  const topOf = (of: Float32Array): readonly number[] =>
    [...of.keys()].toSorted((a, b) => of[b]! - of[a]!).slice(0, claimed!.pairs);
  const own = new Set(topOf(scores));
  const recall = topOf(truth).filter((row) => own.has(row)).length / claimed!.pairs;
  const both = (each: (typeof rounds)[number]): number => each.both;
  print(
    `${examples.length} pairs, layer ${layer}, ${rounds.length} rounds, first pass ${precision}.\n`,
  );
  print(
    "| what | times as fast: both passes | range | one exact pass | range |\n|---|---|---|---|---|",
  );
  for (const [w, way] of ways.entries()) {
    const [two, one] = [both, (each: (typeof rounds)[number]) => each.once].map((seconds) =>
      range(rounds.map((each) => each.loops[w]! / seconds(each))),
    );
    print(`| PyTorch, ${way.replace("/", ", ")} | ${two} | ${one} |`);
  }
  print(
    `| one exact pass of Culprit | ${range(rounds.map((each) => each.once / both(each)))} | | |`,
  );
  const { exactPairs, audit } = last!.second.value;
  const perSecond = median(rounds.map((each) => examples.length / both(each)));
  print(
    `\nboth passes: ${perSecond.toFixed(2)} pairs/s; the second took ${median(rounds.map((each) => each.second / both(each))).toFixed(2)} of the time, ${exactPairs} pairs exact.`,
  );
  print(
    `recall of the exact top ${claimed!.pairs}: ${recall.toFixed(4)}; said: ${claimed!.recall.toFixed(4)}, no less than ${claimed!.recallLow.toFixed(4)}.`,
  );
  print(
    `Spearman's correlation over all pairs: ${spearman(truth, scores)!.r.toFixed(5)}; cosines of the sample: median ${audit[0]!.medianCosine.toFixed(5)}, worst ${audit[0]!.worstCosine.toFixed(5)} of ${audit[0]!.pairs}.`,
  );
  print(`one 1024³ product of float32 at ${(await matrixPeak(threads)).toFixed(0)} GFLOP/s.`);
  const ratios = ways.flatMap((way, w) => [
    [way, rounds.map((each) => each.loops[w]! / both(each))],
    [`one pass, ${way}`, rounds.map((each) => each.loops[w]! / each.once)],
  ]);
  writeFindings(values.json, {
    versions,
    rows: { ...Object.fromEntries(ratios), "recall of the top 1%": [recall] },
  });
} finally {
  rmSync(work, { recursive: true, force: true });
}
