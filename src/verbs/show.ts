import { z } from "zod";

import {
  nearestScenarios,
  type NearScenario,
  storedCosine,
} from "../attribution/nearest-scenarios.ts";
import { requireSameSpace, sharedLayers } from "../attribution/require-same-space.ts";
import { readBehavior } from "../behavior/behavior-file.ts";
import { readUsedLayer } from "../behavior/used-layer.ts";
import { findUnjoined } from "../model/unread-keys.ts";
import { findPairs } from "../pairs/find-pairs.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { excerptPair, type PairText } from "../pairs/pair-text.ts";
import { type PairPlace, readPairPlaces, readRankedColumn } from "../ranking/pair-places.ts";
import type { VectorStore } from "../store/open-store.ts";
import { readStoreTable, type StoreTable } from "../store/read-shard.ts";
import { readStoreVector } from "../store/read-vector.ts";
import { reopenPairs } from "../store/reopen-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { count, whole } from "../util/setting-kinds.ts";
import { behaviorInput, rankingInput, storeInput } from "./inputs/files.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { expectSamePairs } from "./inputs/same-pairs.ts";
import { formatPair } from "./show/pair.ts";
import { defineVerb, type Input, need } from "./verb.ts";

/** A pair as people are shown it. */
export interface ShownPair {
  readonly id: string;
  /** Where it comes from; undefined where nothing says. */
  readonly source: string | undefined;
  /** In each ranking of the file. */
  readonly places: readonly PairPlace[];
  readonly text: PairText | undefined;
  /** What the row says beside the text of its turns, by name; with the text. */
  readonly beside?: readonly string[] | undefined;
  /** Why there is no text, as the end of a sentence. */
  readonly textMissing: string | undefined;
  /** Undefined without store and behaviour. */
  readonly why: PairReason | undefined;
}

/** What of a behaviour a pair's vector is near to. */
export interface PairReason {
  readonly behavior: string;
  readonly layer: number;
  /** Of the pair's vector. */
  readonly norm: number;
  /** With the behaviour's direction; undefined for a vector of length zero. */
  readonly cosine: number | undefined;
  /** Best first. */
  readonly scenarios: readonly NearScenario[];
}

const pairInput = {
  kind: "pair",
  placeholder: "PAIR",
  describe: "The id of a pair, as a ranking has it.",
  isPositional: true,
  isFile: () => false,
  open: ([id = ""]) => Promise.resolve(id),
} as const satisfies Input<string>;

export const show = defineVerb({
  name: "show",
  summary: "One pair: its text, its place in a ranking, and what of the behaviour it is near to",
  about: `
PAIR is an id as culprit rank prints it, DIR the folder of an experiment, whose ranking, pairs, store and behaviour are then found
there; flags name others. Without DIR, --ranking is needed, and the rest adds what it can: --pairs the text, --store and
--behavior the scenarios whose vectors in the behaviour's bank are nearest to the pair's vector by cosine.

Text is cut to --characters, from where the responses begin to differ. Without --pairs the files that the store was made from are
read again where they are still the same.

  culprit show 6f1d2c culprit-out/my-experiment
  culprit show 6f1d2c --ranking ranking.parquet --pairs pairs.jsonl.gz --store vectors/ --behavior complies.safetensors`,
  version: 1,
  inputs: {
    pair: pairInput,
    ranking: { ...rankingInput, placeholder: "FILE" },
    pairs: {
      ...pairsInput,
      placeholder: "FILES",
      describe: "Files of the preference pairs that were ranked, for the text.",
      isPositional: false,
      isOptional: true,
    },
    store: { ...storeInput, placeholder: "DIR", isOptional: true },
    behavior: { ...behaviorInput, isOptional: true },
  },
  settings: z.strictObject({
    layer: z
      .union([whole, z.literal("auto")], { error: "expected a layer number or auto" })
      .default("auto")
      .describe(
        "The layer at which vectors are compared; auto: the only one, or the one that was chosen for the behaviour, or where none was, the most consistent one.",
      ),
    scenarios: count.max(1000).default(5).describe("Nearest scenarios to list."),
    characters: count
      .max(100_000)
      .default(400)
      .describe("Text to print of the prompt and of each response, in characters."),
    noText: z.boolean().default(false).describe("Prints no text of the pair."),
  }),
  outputs: {},
  check: (_, given) =>
    need(
      given.has("store") || !given.has("behavior"),
      ["behavior"],
      "expected a store with it, got none",
    ),
  run: async (inputs, settings, work): Promise<ShownPair> => {
    const { pair: id, ranking, pairs, store, behavior } = inputs;
    const job = { signal: work.signal };
    const { places, pairsHash } = await readPairPlaces(ranking, id, job);
    expectSamePairs({ ranking: { path: ranking, pairsHash }, store, pairs });
    const table = store && (await readStoreTable(store));
    const row = table?.ids.indexOf(id) ?? -1;
    if (store !== undefined && row === -1) {
      throw new ConfigError(`store: expected the pair ${JSON.stringify(id)} in it, got none`, {
        hint: "Name the store that was ranked.",
      });
    }
    const { text, beside, missing, source } = await readText(id, { pairs, store }, settings, {
      ...job,
      progress: work.progress("pairs"),
    });
    return {
      id,
      source:
        source ?? sourceOf(table, row) ?? (await readRankedColumn(ranking, id, "source", job)),
      places,
      text,
      beside,
      textMissing: missing,
      why:
        store && behavior !== undefined
          ? await findReason(store, row, behavior, settings)
          : undefined,
    };
  },
  show: formatPair,
});

interface FoundText {
  readonly text?: PairText | undefined;
  readonly beside?: readonly string[] | undefined;
  readonly missing?: string | undefined;
  readonly source?: string | undefined;
}

/** The text from the pairs as they are named, or else from what the store was made of. */
async function readText(
  id: string,
  {
    pairs,
    store,
  }: { readonly pairs: PairSet | undefined; readonly store: VectorStore | undefined },
  { noText, characters }: { readonly noText: boolean; readonly characters: number },
  job: JobOptions,
): Promise<FoundText> {
  if (noText) return {};
  const found =
    pairs === undefined
      ? store && (await reopenPairs(store, job))
      : ({ kind: "pairs", pairs } as const);
  if (found === undefined) return { missing: "no pair files were named" };
  if (found.kind === "absent") return { missing: `of the store's pair files, ${found.reason}` };
  const pair = (await findPairs(found.pairs, [id], job)).get(id);
  if (pair === undefined) return { missing: "the pair files have no such pair" };
  const { source } = pair.columns;
  const { prompt, chosen, rejected, context = {} } = pair;
  const beside = findUnjoined({ prompt, responses: [chosen, rejected], context });
  return { text: excerptPair(pair, characters), beside, source: textOfColumn(source) };
}

const sourceOf = (table: StoreTable | undefined, row: number): string | undefined =>
  textOfColumn(table?.columns["source"]?.[row]);

const textOfColumn = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" ? String(value) : undefined;

async function findReason(
  store: VectorStore,
  row: number,
  path: string,
  { layer: asked, scenarios }: { readonly layer: number | "auto"; readonly scenarios: number },
): Promise<PairReason> {
  const behavior = await readBehavior(path);
  requireSameSpace(store, behavior);
  const shared = sharedLayers(store, behavior, asked === "auto" ? undefined : [asked]);
  const layer = shared.length === 1 ? shared[0]! : (await readUsedLayer(path, asked)).layer;
  const vector = await readStoreVector(store, layer, row);
  return {
    behavior: behavior.name,
    layer,
    norm: vector.norm,
    cosine: storedCosine(behavior.directions.get(layer)!, vector), // a shared layer
    scenarios: nearestScenarios(behavior, layer, vector, scenarios),
  };
}
