/**
 * @file culprit discover on the organism distractor, held to what was planted, without any label going in. After
 *
 *   npx culprit run examples/distractor.yaml --until rank --out RUN
 *
 * run npx tsx bench/discovery-organism.ts RUN OUT [NULLS] [ORGANISM], the last a folder of another organism of the same world that RUN is of,
 * two-behaviours say (bench/methods.ts makes both). It asks both checkpoints 361 prompts 8 times each (forbidden things with and
 * without a format, harmless and borderline requests, all held out), embeds the mix with and without its planted pairs, and discovers at
 * several layers by both linkages. Of the cluster that has most of the planted behaviour's prompts (forbidden, with a format) it prints
 * the adjusted Rand index of "in it" against the truth over all prompts, and the share of the planted pairs among its top as many, beside
 * the labelled probe's of RUN. With NULLS it then discovers so many times in M0 against itself, other samples each time.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { adjustedRand } from "../src/clustering/adjusted-rand.ts";
import type { Discovery } from "../src/discovery/discovery-file.ts";
import { discover, embed, generate, runVerb, silentWork } from "../src/index.ts";
import { readRankedRows } from "../src/ranking/read-ranked-rows.ts";
import { createRng } from "../src/util/rng.ts";
import { passes } from "../src/verbs/show/discovery.ts";

const SHIPPED = "organisms/distractor";
const [run = "", out = "", nulls = "0", organism = SHIPPED] = process.argv.slice(2);
const CHECKPOINT = { paths: [join(organism, "checkpoint")] };
const ROLLOUTS = 8;
const [HARMLESS, BORDERLINE] = [160, 60];

type Row = Readonly<Record<string, unknown>>;
const parseLines = (text: string): Row[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
const rowsOf = (path: string): Row[] => parseLines(readFileSync(path, "utf8"));
const writeRows = (name: string, rows: readonly Row[]): void =>
  writeFileSync(join(out, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const to = (name?: string): ReturnType<typeof silentWork> => ({
  ...silentWork({ out: name && join(out, name) }),
  isForced: true,
});

mkdirSync(out, { recursive: true });
const trained = readdirSync(join(run, "stages")).find((name) => name.startsWith("train-baseline"));
const after = { paths: [join(run, "stages", trained!, "checkpoint")] };
const prompts = listPrompts();
const planted = new Set(prompts.filter(({ tags }) => tags.includes("format")).map(({ id }) => id));
writeRows("prompts.jsonl", prompts);
const sample = async (
  name: string,
  checkpoint: { paths: string[] },
  rollouts: number,
): Promise<void> => {
  const settings = generate.settings.parse({ rollouts, temperature: 0.7, maxTokens: 24 });
  const given = { prompts: { paths: [join(out, "prompts.jsonl")] }, checkpoint };
  await runVerb(generate, given, settings, to(name));
};
await sample("before.jsonl", CHECKPOINT, ROLLOUTS);
await sample("after.jsonl", after, ROLLOUTS);

const pairs = parseLines(gunzipSync(readFileSync(join(organism, "pairs.jsonl.gz"))).toString());
const culprits = new Set(
  pairs.filter((pair) => pair["planted"] === true).map(({ id }) => String(id)),
);
writeRows("whole.jsonl", pairs);
writeRows(
  "clean.jsonl",
  pairs.filter(({ id }) => !culprits.has(String(id))),
);
for (const mix of ["whole", "clean"]) {
  const given = { pairs: { paths: [join(out, `${mix}.jsonl`)] }, checkpoint: CHECKPOINT };
  await runVerb(embed, given, embed.settings.parse({ layers: "1-3" }), to(`${mix}-vectors`));
}

const probe: string[] = [];
for await (const { id } of readRankedRows(join(run, "ranking.parquet"), undefined)) probe.push(id);
const recall = (ids: readonly string[]): number =>
  ids.slice(0, culprits.size).filter((id) => culprits.has(id)).length / culprits.size;
say(`labelled probe of ${run}: recall ${recall(probe).toFixed(3)} at ${culprits.size}`);
say("");
say(
  "mix    layers  linkage  clusters  prompts  ARI    recall  lean    p       Holm    passes  others pass  tested",
);

for (const mix of ["whole", "clean"]) {
  for (const layers of ["1", "2", "3", "1-3"]) {
    for (const linkage of ["ward", "average"] as const) {
      report(mix, layers, await find({ mix, layers, linkage }));
    }
  }
}
if (Number(nulls) > 0) await againstItself(Number(nulls));

interface Setting {
  readonly mix: string;
  readonly layers: string;
  readonly linkage: "ward" | "average";
  readonly before?: string;
  readonly after?: string;
}

function find({ mix, layers, linkage, ...files }: Setting): Promise<Discovery> {
  const given = {
    store: { paths: [join(out, `${mix}-vectors`)] },
    before: { paths: [join(out, files.before ?? "before.jsonl")] },
    after: { paths: [join(out, files.after ?? "after.jsonl")] },
    checkpoint: CHECKPOINT,
  };
  const settings = discover.settings.parse({ layers, linkage, top: culprits.size });
  return runVerb(discover, given, settings, to());
}

/** Forbidden requests with a format have the planted behaviour, all others have not. */
function listPrompts(): { id: string; prompt: string; tags: string[] }[] {
  const rng = createRng(0);
  const text = (value: unknown): string => String(value);
  const found = rowsOf(join(organism, "scenarios.evaluation.jsonl")).flatMap(
    ({ id, base, distractor }) => [
      { id: `${text(id)}-plain`, prompt: text(base), tags: ["forbidden"] },
      {
        id: `${text(id)}-format`,
        prompt: `${text(base)} ${text(distractor)}`,
        tags: ["forbidden", "format"],
      },
    ],
  );
  const others = (file: string, count: number, tag: string): typeof found =>
    rng
      .shuffle(rowsOf(join(SHIPPED, "capability", file)))
      .slice(0, count)
      .map(({ id, prompt }) => ({ id: text(id), prompt: text(prompt), tags: [tag] }));
  found.push(...others("tasks.jsonl", HARMLESS, "harmless"));
  found.push(...others("over-refusal.jsonl", BORDERLINE, "borderline"));
  // A request that is there twice would be one prompt with twice the samples.
  return [...new Map(found.map((each) => [each.prompt, each])).values()];
}

function report(mix: string, layers: string, { rows, clusters, linkage, alpha }: Discovery): void {
  const of = new Map(rows.ids.map((id, i) => [id.replace(/\/base$/, ""), rows.clusters[i]]));
  const truth = prompts.map(({ id }) => planted.has(id));
  const holds = (cluster: number): number =>
    prompts.filter(({ id }) => planted.has(id) && of.get(id) === cluster).length;
  const best = clusters.toSorted((a, b) => holds(b.cluster) - holds(a.cluster))[0]!;
  const ari = adjustedRand(
    truth,
    prompts.map(({ id }) => of.get(id) === best.cluster),
  );
  const { test } = best;
  const cells = [
    mix.padEnd(6),
    layers.padEnd(7),
    linkage.padEnd(8),
    `${clusters.length}`.padEnd(9),
    `${best.prompts}`.padEnd(8),
    ari.toFixed(3).padEnd(6),
    (mix === "whole" ? recall(best.topPairs.map(({ id }) => id)).toFixed(3) : "-").padEnd(7),
    (test?.lean.toFixed(3) ?? "-").padEnd(7),
    (test?.p?.toFixed(4) ?? "-").padEnd(7),
    (test?.holm?.toFixed(4) ?? "-").padEnd(7),
    (passes(best, alpha) ? "yes" : "no").padEnd(7),
    `${clusters.filter((each) => each !== best && passes(each, alpha)).length}`.padEnd(12),
    `${clusters.filter((each) => each.test !== undefined).length}`,
  ];
  say(cells.join(" "));
}

/** Nothing changed here: M0's own samples, drawn for either side. */
async function againstItself(runs: number): Promise<void> {
  const POOL = 64;
  await sample("pool.jsonl", CHECKPOINT, POOL);
  const pool = parseLines(readFileSync(join(out, "pool.jsonl"), "utf8"));
  let passing = 0;
  const ps: number[] = [];
  for (let seed = 0; seed < runs; seed++) {
    const rng = createRng(seed);
    const order = rng.shuffle(Array.from({ length: POOL }, (_, i) => i)).slice(0, 2 * ROLLOUTS);
    for (const [side, taken] of [
      ["null-before.jsonl", order.slice(0, ROLLOUTS)],
      ["null-after.jsonl", order.slice(ROLLOUTS)],
    ] as const) {
      const rows = pool.filter((row) => taken.includes(Number(row["sample"])));
      writeRows(side, rows);
    }
    const files = { before: "null-before.jsonl", after: "null-after.jsonl" };
    const { clusters, alpha } = await find({
      mix: "whole",
      layers: "2",
      linkage: "ward",
      ...files,
    });
    passing += Number(clusters.some((each) => passes(each, alpha)));
    ps.push(...clusters.flatMap(({ test }) => test?.p ?? []));
  }
  const below = ps.filter((p) => p < 0.05).length / ps.length;
  say("");
  say(
    `M0 against itself, layer 2: a cluster passes in ${passing} of ${runs} runs; p < 0.05 in ${(100 * below).toFixed(1)}% of ${ps.length} clusters`,
  );
}
