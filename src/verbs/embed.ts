import { z } from "zod";

import { featureFlops } from "../engine/checkpoint-size.ts";
import { withFeatures } from "../engine/features.ts";
import { describeMarks } from "../pairs/describe-marks.ts";
import { describeHidden } from "../pairs/hidden-counts.ts";
import { describeCutOff } from "../pairs/unusable-file.ts";
import { embedPairs, type EmbedPairsResult } from "../store/embed-pairs.ts";
import { VECTORS } from "../store/open-store.ts";
import { STORE_DTYPES } from "../store/vector-store-manifest.ts";
import { count, limitTokens, maxTokens } from "../util/setting-kinds.ts";
import { linesOf, textOf } from "../util/text-table.ts";
import { checkpointInput } from "./inputs/checkpoint.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { layers, resolveLayers } from "./settings/common.ts";
import { featureContradictions, featureSettings, featuresOf } from "./settings/features.ts";
import { defineVerb } from "./verb.ts";

/** Share of unusable rows from which on the user must hear of it. */
const MANY_UNUSABLE = 0.1;

/** What was embedded, and where it is. */
export interface Embedded extends EmbedPairsResult {
  readonly store: string;
  readonly seconds: number;
}

export const embed = defineVerb({
  name: "embed",
  summary: "Datapoint vectors of preference pairs, into a vector store",
  about: `
PAIRS are files of preference pairs (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

The datapoint vector of a pair is the mean activation over the chosen response's tokens minus that over the rejected one's, in the
residual stream of the checkpoint before preference training, at each layer asked for. Layer l is the stream after l blocks;
layer 0 is the embedding output. --features influence reads what the method influence-probe needs, gradient what gradient does,
whose one vector is layer 0; docs/methods.md says what they are.

The store is a folder: manifest.json, shard-00000.safetensors and so on, complete.json, unusable.jsonl. An interrupted run goes on
from the last whole shard when the same command is given again. A store made with other settings is refused.

  culprit embed pairs.jsonl.gz --checkpoint ./sft --layers 8,10,12 --out vectors/`,
  version: 2,
  inputs: { pairs: pairsInput, checkpoint: checkpointInput },
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
  check: featureContradictions,
  outputs: {
    out: {
      artifact: VECTORS,
      placeholder: "DIR",
      describe: "The store's folder.",
      isResumable: true,
    },
  },
  asides: ["vectors/writer.lock"],
  canResume: true,
  run: async ({ pairs, checkpoint }, settings, { out, progress, signal, cost }) => {
    const startMs = performance.now();
    await using engine = await checkpoint.open();
    const features = featuresOf(settings, engine.identity);
    const found = resolveLayers(settings.layers, engine.identity.layerCount);
    const result = await embedPairs(withFeatures(engine, features), pairs, out.out, {
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
  warnings: ({ pairs, markedPairs, hidden, unusable, unusablePath }) => {
    const rows = pairs + unusable.count;
    return linesOf([
      describeMarks(markedPairs, pairs),
      describeHidden(hidden, pairs),
      describeCutOff(unusable),
      unusable.count > MANY_UNUSABLE * rows &&
        `${unusable.count} of ${rows} rows cannot be used, see ${unusablePath}`,
    ]);
  },
});
