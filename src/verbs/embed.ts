import { join } from "node:path";

import { z } from "zod";

import { featureFlops } from "../engine/checkpoint-size.ts";
import { withFeatures } from "../engine/features.ts";
import { describeLostMarks, describeMarks } from "../pairs/describe-marks.ts";
import { describeHidden } from "../pairs/hidden-counts.ts";
import { describeCutOff } from "../pairs/unusable-file.ts";
import { embedPairs, type EmbedPairsResult } from "../store/embed-pairs.ts";
import { NOT_FINITE_NAME } from "../store/not-finite.ts";
import { VECTORS } from "../store/open-store.ts";
import { STORE_DTYPES } from "../store/vector-store-manifest.ts";
import { count, limitTokens, maxTokens } from "../util/setting-kinds.ts";
import { linesOf, textOf } from "../util/text-table.ts";
import { checkpointInput } from "./inputs/checkpoint.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { warmupInput } from "./inputs/warmup.ts";
import { layers } from "./settings/common.ts";
import {
  featureContradictions,
  featureSettings,
  readingOf,
  warmupDoubts,
} from "./settings/features.ts";
import { defineVerb, need } from "./verb.ts";

/** Share of unusable rows from which on the user must hear of it. */
const MANY_UNUSABLE = 0.1;

/** What was embedded, and where it is. */
export interface Embedded extends EmbedPairsResult {
  readonly store: string;
  readonly seconds: number;
}

/** Ids in a warning, at most. */
const MAX_NAMED = 5;

function nameSome(ids: readonly string[]): string {
  const named = ids.slice(0, MAX_NAMED).map((id) => JSON.stringify(id.slice(0, 80)));
  return `${named.join(", ")}${ids.length > MAX_NAMED ? ", …" : ""}`;
}

export const embed = defineVerb({
  name: "embed",
  summary: "Datapoint vectors of preference pairs, into a vector store",
  about: `
PAIRS are files of preference pairs (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

The datapoint vector of a pair is the mean activation over the chosen response's tokens minus that over the rejected one's, in the
residual stream of the checkpoint before preference training, at each layer asked for. Layer l is the stream after l blocks;
layer 0 is the embedding output. --features influence reads what the method influence-probe needs, gradient what gradient does,
whose one vector is layer 0. tracin and less read what training on the pair does at each state that a training run (--warmup)
kept: their layers are the steps of those states. docs/methods.md says what they are.

The store is a folder: manifest.json, shard-00000.safetensors and so on, complete.json, unusable.jsonl. An interrupted run goes on
from the last whole shard when the same command is given again. A store made with other settings is refused.

  culprit embed pairs.jsonl.gz --checkpoint ./sft --layers 8,10,12 --out vectors/`,
  version: 4,
  inputs: { pairs: pairsInput, checkpoint: checkpointInput, warmup: warmupInput },
  settings: z.strictObject({
    layers,
    maxTokens,
    dtype: z.enum(STORE_DTYPES).default("F16").describe("How vectors are stored."),
    shardRows: count
      .max(2 ** 20)
      .default(2048)
      .describe("Pairs of one shard, the unit of resume."),
    ...featureSettings,
  }),
  check: (settings, given) => [
    ...featureContradictions(settings, given),
    ...need(
      settings.features !== "concept",
      ["features"],
      "expected others: concept is what behaviours are read as, to be held to pairs read as gradient",
    ),
  ],
  outputs: {
    out: {
      artifact: VECTORS,
      placeholder: "DIR",
      describe: "The store's folder.",
      place: "folder",
      isResumable: true,
    },
  },
  asides: ["vectors/writer.lock"],
  canResume: true,
  run: async ({ pairs, checkpoint, warmup }, settings, work) => {
    const { out, progress, signal, cost } = work;
    const startMs = performance.now();
    await using engine = await checkpoint.open();
    const reading = readingOf(settings, engine.identity, { reads: "pairs", warmup });
    const { features, layers: found, parts } = reading;
    for (const doubt of warmupDoubts(warmup)) work.warn(doubt);
    const result = await embedPairs(withFeatures(engine, features, parts), pairs, out.out, {
      layers: found,
      template: checkpoint.template,
      ignoresUnread: checkpoint.ignoresUnread,
      maxTokens: limitTokens(settings.maxTokens, engine.identity),
      dtype: settings.dtype,
      shardRows: settings.shardRows,
      progress: progress("pairs"),
      signal,
    });
    cost.add(result.tokens, featureFlops(await checkpoint.size(), features.kind, found));
    const seconds = (performance.now() - startMs) / 1000;
    return { store: out.out, seconds, ...result };
  },
  show: (result) => {
    const { store, seconds, pairs, resumedPairs, manifest, unusable } = result;
    const embedded = pairs - resumedPairs;
    const reasons = Object.entries(unusable.byReason).map(([why, number]) => `${why} ${number}`);
    const why = reasons.length > 0 ? ` (${reasons.join(", ")})` : "";
    return textOf(
      `${store}: ${pairs} pairs, layers ${manifest.layers.join(", ")}, ${manifest.dim} dimensions, ${manifest.dtype}`,
      resumedPairs > 0 && `${resumedPairs} pairs were there already`,
      `${embedded} pairs in ${seconds.toFixed(1)} s (${(embedded / seconds).toFixed(2)} pairs/s)`,
      `${result.truncatedPairs} pairs had a response cut at ${manifest.maxTokens} tokens`,
      `${unusable.count} unusable rows${why}, listed in ${result.unusablePath}`,
    );
  },
  warnings: (result) => {
    const { pairs, markedPairs, hidden, unusable, unusablePath } = result;
    const { notFinite, store, manifest } = result;
    const rows = pairs + unusable.count;
    return linesOf([
      describeMarks(markedPairs, pairs),
      describeHidden(hidden, pairs),
      describeLostMarks(manifest.pairs.shape, manifest.template),
      notFinite.length > 0 &&
        `${notFinite.length} pairs have a gradient that is not finite and so no score: ${nameSome(notFinite)}; see ${join(store, NOT_FINITE_NAME)}`,
      describeCutOff(unusable),
      unusable.count > MANY_UNUSABLE * rows &&
        `${unusable.count} of ${rows} rows cannot be used, see ${unusablePath}`,
    ]);
  },
});
