/**
 * @file The probes beside one another on real activations, and the material to hold them to scikit-learn.
 *
 *   npx tsx bench/probe-kinds.ts --checkpoint DIR --responses FILE [--layers 1,2,3] [--max-tokens N]
 *     [--store DIR --planted FILE [--planted-column NAME]] [--orthogonal-to "length;list;length,list"] [--dump DUMP.safetensors]
 *   python bench/probe_reference.py DUMP.safetensors
 *
 * Prints a table: probe × directions projected out × layer. Held-out AUROC, split-half cosine and cosine to the mean difference are those of
 * `culprit behavior`; with a store and the planted pairs, AUROC, average precision and recall of the ranking by cosine. --dump writes
 * the rows and the directions trained on them, without projections, for probe_reference.py, which trains scikit-learn's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { allMembers, labelledDifference } from "../src/behavior/labelled-rows.ts";
import { createWhitening } from "../src/behavior/lda-probe.ts";
import { createLogisticProbe, STRENGTHS } from "../src/behavior/logistic-probe.ts";
import { rowsOf } from "../src/behavior/train-probe.ts";
import {
  type BehaviorReport,
  collectActivations,
  computeBehavior,
  estimateNuisance,
  markPlanted,
  measureResponses,
  openEngine,
  openStore,
  PROBES,
  type Probe,
  projectOut,
  rankingQuality,
  rankStore,
  readBehavior,
  readPlanted,
  readResponsePairs,
  readStoreTable,
  type ResponseActivations,
  type SafetensorsTensor,
  trainProbe,
  writeBehavior,
  writeSafetensors,
} from "../src/index.ts";

const { values } = parseArgs({
  options: {
    checkpoint: { type: "string", default: "organisms/distractor/checkpoint" },
    responses: { type: "string" },
    layers: { type: "string" },
    "max-tokens": { type: "string" },
    store: { type: "string" },
    planted: { type: "string" },
    "planted-column": { type: "string" },
    "orthogonal-to": { type: "string", default: "" },
    dump: { type: "string" },
  },
});
if (values.responses === undefined) {
  process.stderr.write("probe-kinds: --responses is missing\n");
  process.exit(2);
}
const maxTokens = values["max-tokens"];
const work = mkdtempSync(join(tmpdir(), "culprit-probes-"));
const responses = await readResponsePairs(values.responses);
const activations = await readActivations();
const store = values.store === undefined ? undefined : await openStore(values.store);
const planted =
  values.planted === undefined
    ? undefined
    : await readPlanted(values.planted, values["planted-column"]);

try {
  if (values.dump !== undefined) await dump(values.dump);
  const ranked =
    store === undefined
      ? []
      : ["ranking AUROC [95%]", "average precision [95%]", "recall at the number planted [95%]"];
  print(
    `${activations.pairIds.length} response pairs, ${new Set(activations.promptKeys).size} prompts`,
  );
  printRow(["probe", "without", "layer", "AUROC [95%]", "split-half", "cos to mean", ...ranked]);
  printRow(Array.from({ length: 6 + ranked.length }, () => "---"));
  for (const names of ["", ...values["orthogonal-to"].split(";").filter((each) => each !== "")]) {
    const cleared = clear(names);
    for (const probe of PROBES) await measure(cleared, probe, names);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function readActivations(): Promise<ResponseActivations> {
  await using engine = await openEngine(values.checkpoint);
  const all = Array.from({ length: engine.identity.layerCount }, (_, i) => i + 1);
  const layers = values.layers?.split(",").map(Number) ?? all;
  return await collectActivations(engine, responses.pairs, {
    layers,
    ...(maxTokens === undefined ? {} : { maxTokens: Number(maxTokens) }),
  });
}

function clear(names: string): ResponseActivations {
  if (names === "") return activations;
  const nuisances = names
    .split(",")
    .map((name) =>
      estimateNuisance(activations, measureResponses(name, responses.pairs, activations)),
    );
  return projectOut(activations, nuisances);
}

async function measure(cleared: ResponseActivations, probe: Probe, names: string): Promise<void> {
  const mean = computeBehavior(cleared, { name: probe, nullDirections: 0 });
  const behavior =
    probe === "mean-difference" ? mean : await trainProbe(mean, cleared, { kind: probe });
  const path = join(work, "behavior.safetensors");
  const report = await writeBehavior(path, behavior, responses);
  const rankings = await rank(path);
  for (const [i, layer] of behavior.layers.entries()) {
    const figures = describe(report, i);
    printRow([probe, names === "" ? "–" : names, `${layer}`, ...figures, ...rankings(layer)]);
  }
}

function describe({ diagnostics }: BehaviorReport, i: number): readonly string[] {
  const { heldOut, splitHalf, trained } = diagnostics[i]!;
  return [
    heldOut.kind === "measured" ? withInterval({ ...heldOut, value: heldOut.auroc }) : "–",
    splitHalf.kind === "measured" ? splitHalf.mean.toFixed(3) : "–",
    trained === undefined
      ? "1"
      : `${trained.cosineWithMean.toFixed(3)}${trained.strength === undefined ? "" : ` (C = ${trained.strength})`}`,
  ];
}

/** The figures of the ranking at a layer; nothing where there is no store. */
async function rank(path: string): Promise<(layer: number) => readonly string[]> {
  if (store === undefined || planted === undefined) return () => [];
  const table = await readStoreTable(store);
  const rankings = await rankStore(store, [await readBehavior(path)], { nullDirections: 0 });
  return (layer) => {
    const scores = rankings.find((each) => each.layer === layer)?.scores;
    if (scores === undefined) return ["–", "–", "–"];
    const { isPlanted } = markPlanted(table.ids, planted);
    const { auroc, averagePrecision, at } = rankingQuality(scores, isPlanted);
    return [withInterval(auroc), withInterval(averagePrecision), withInterval(at[0]!.recall)];
  };
}

/** Rows [m, D] and labels of every layer, and the directions [D] of all probes trained on all of them. */
async function dump(path: string): Promise<void> {
  const tensors: SafetensorsTensor[] = [];
  const add = (name: string, numbers: Float32Array, shape: readonly number[]): void => {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    tensors.push({ name, dtype: "F32", shape, bytes });
  };
  const times: Record<string, string> = {};
  for (const layer of activations.layers) {
    const rows = rowsOf(activations, layer, "rollout");
    const { dim } = rows;
    const members = allMembers(rows);
    add(`rows.${layer}`, rows.rows, [members.length, dim]);
    add(`labels.${layer}`, Float32Array.from(rows.labels), [members.length]);
    const keep = (name: string, train: () => Float64Array): void => {
      const startMs = performance.now();
      const direction = train();
      times[`${name}.${layer}`] = ((performance.now() - startMs) / 1000).toFixed(4);
      add(`${name}.${layer}`, Float32Array.from(direction), [dim]);
    };
    keep("lda", () =>
      createWhitening(rows, members, rows.labels).solve(
        labelledDifference(rows, members, rows.labels),
      ),
    );
    const probe = createLogisticProbe(rows);
    for (const strength of STRENGTHS) {
      keep(`logistic-${strength}`, () => probe.train(members, rows.labels, { strength }));
    }
  }
  await writeSafetensors(path, tensors, times);
}

function withInterval({
  value,
  low,
  high,
}: {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printRow(cells: readonly string[]): void {
  print(`| ${cells.join(" | ")} |`);
}
