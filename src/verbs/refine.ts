import { z } from "zod";

import { REFINED_SCORERS, refineStore } from "../attribution/refine-store.ts";
import { readBehavior } from "../behavior/behavior-file.ts";
import { differingPart, IDENTITY_PARTS } from "../behavior/behavior-head.ts";
import { featureFlops } from "../engine/checkpoint-size.ts";
import type { EngineIdentity } from "../engine/engine.ts";
import { topPairs, type TopSize } from "../ranking/ranking-report.ts";
import { exactReader, writeRefined } from "../store/exact-rows.ts";
import { VECTORS, type VectorStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-shard.ts";
import type { Refinement } from "../store/refinement.ts";
import { ConfigError } from "../util/errors.ts";
import { percent } from "../util/figures.ts";
import { seed } from "../util/setting-kinds.ts";
import { checkpointInput, checkpointSettings } from "./inputs/checkpoint.ts";
import { behaviorsInput, storeInput } from "./inputs/files.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { expectSamePairs } from "./inputs/same-pairs.ts";
import { layersOrAuto, pairsOrShare } from "./settings/common.ts";
import { refinementLines } from "./show/refinement.ts";
import { defineVerb, type Input } from "./verb.ts";

/** What is read here is exact. */
const exactSettings = checkpointSettings.omit({ precision: true });

const exactInput = {
  ...checkpointInput,
  settings: exactSettings,
  describe: "The checkpoint that the store was read on; its weights are held in F32 here.",
  open: (paths, settings, work) => checkpointInput.open(paths, settings, work),
} as const satisfies Input<Awaited<ReturnType<typeof checkpointInput.open>>, typeof exactSettings>;

/** What the second pass found, and where the store is. */
export interface Refined extends Refinement {
  readonly store: string;
  readonly pairs: number;
}

export const refine = defineVerb({
  name: "refine",
  summary: "Reads again, exactly, the pairs that vectors of low precision rank highest",
  about: `
The second of two passes. STORE is the folder that culprit embed wrote with --precision W8A8 or INT8, a behaviour a file of
culprit behavior made without. The pairs that the store ranks highest, and a random sample, are read again with weights in F32.
The sample says how far first scores are off; where by that too much of the exact top may have been missed, the next pairs are
read as well, until it is safe, or until all are read.

What is written is a vector store like any other, with exact vectors where there are any. Its manifest, and every ranking of it,
says which share of the exact top it holds, how first and exact scores of the sample agree, and how far the worst vector is off.
Only the top of these behaviours is safe: for another behaviour, refine the first store again.

  culprit embed pairs.jsonl.gz --checkpoint ./sft --layers 20 --precision W8A8 --out first/
  culprit refine first/ --behavior complies.safetensors --pairs pairs.jsonl.gz --checkpoint ./sft --out vectors/
  culprit rank vectors/ --behavior complies.safetensors --out ranking.parquet`,
  version: 1,
  inputs: {
    store: { ...storeInput, isPositional: true },
    behavior: behaviorsInput,
    pairs: {
      ...pairsInput,
      isPositional: false,
      describe: "The files of preference pairs that the store was made of.",
    },
    checkpoint: exactInput,
  },
  settings: z.strictObject({
    layers: layersOrAuto.optional().meta({
      description:
        "Layers whose top must be exact: numbers and ranges like 8,10-12, all, or auto, the one that culprit behavior chose. Absent: all that store and behaviours share.",
      placeholder: "LIST",
    }),
    top: pairsOrShare
      .prefault("1%")
      .describe("The top that must be the exact one: a number of pairs, or a share of all."),
    recall: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.99)
      .describe("Share of the exact top that must be in it, at 95%."),
    audit: pairsOrShare
      .prefault("2%")
      .describe(
        "The random sample that says how far first scores are off: a number of pairs, or a share of all of which 20 to 500 are taken.",
      ),
    scorer: z
      .enum(REFINED_SCORERS)
      .default("cosine")
      .describe("By which scorer of the method probe pairs are ranked."),
    seed: seed.default(0).describe("Seed of the sample."),
  }),
  outputs: {
    out: {
      artifact: VECTORS,
      placeholder: "DIR",
      describe: "The folder of the store to write.",
      place: "folder",
      isResumable: true,
    },
  },
  asides: ["vectors/writer.lock", "vectors/exact-rounds"],
  canResume: true,
  run: async ({ store, behavior, pairs, checkpoint }, settings, work): Promise<Refined> => {
    const { layers, scorer, recall } = settings;
    const { progress, signal, cost } = work;
    expectSamePairs({ store, pairs });
    expectFirst(store);
    const behaviors = await Promise.all(behavior.map((path) => readBehavior(path)));
    await using engine = await checkpoint.open();
    expectSameCheckpoint(store, engine.identity);
    const { ids, tokens } = await readStoreTable(store);
    const job = { signal, progress: progress("pairs") };
    const reader = exactReader(store, { engine, pairs, ids, directory: work.out.out }, job);
    const { refinement, exact } = await refineStore(store, behaviors, {
      signal,
      scorer,
      recall,
      seed: settings.seed,
      layers: layers === "all" ? undefined : layers,
      threads: checkpoint.options.threads,
      top: (scored) => sizeOf(settings.top, scored, { least: 1, most: scored }),
      audit: (scored) => sizeOf(settings.audit, scored, { least: 20, most: 500 }),
      read: reader,
    });
    let read = 0;
    for (const row of exact.keys()) {
      for (const count of tokens.subarray(3 * row, 3 * row + 3)) read += count;
    }
    cost.add(read, featureFlops(await checkpoint.size(), "states", store.manifest.layers));
    await writeRefined(store, exact, refinement, work.out.out, {
      signal,
      progress: progress("pairs"),
    });
    return { store: work.out.out, pairs: store.rows, ...refinement };
  },
  show: (found) =>
    [
      `${found.store}: ${found.exactPairs} of ${found.pairs} pairs read again in F32 (${percent(found.exactPairs / found.pairs)}), in ${found.rounds} rounds; the others as ${found.precision}`,
      ...refinementLines(found),
    ].join("\n"),
  warnings: ({ tops, recall }) =>
    tops
      .filter(({ recallLow }) => recallLow < recall)
      .map(
        ({ behavior, layer, recallLow }) =>
          `behavior "${behavior}", layer ${layer}: only ${percent(recallLow)} of the exact top is sure to be in it`,
      ),
});

/** Pairs of a size, within bounds. */
function sizeOf(
  size: TopSize,
  scored: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const pairs = topPairs(size, scored);
  return Math.min(scored, Math.max(least, "count" in size ? pairs : Math.min(pairs, most)));
}

/** Throws ConfigError for a store that has nothing to refine. */
function expectFirst({ directory, manifest }: VectorStore): void {
  if (manifest.refined !== undefined) {
    throw new ConfigError(
      `store: expected vectors of low precision, ${directory} was refined already`,
      {
        hint: "Refine the store that it was made of, with all behaviours at once.",
      },
    );
  }
  if (manifest.checkpoint.precision === undefined) {
    throw new ConfigError(
      `store: expected vectors of low precision, those of ${directory} are exact`,
      {
        hint: "Rank it as it is.",
      },
    );
  }
}

function expectSameCheckpoint(
  { directory, manifest }: VectorStore,
  identity: EngineIdentity,
): void {
  const of = <T extends object>(parts: T) => ({ ...parts, precision: undefined });
  const part = differingPart(of(manifest.checkpoint), of(identity));
  const [begins, got] = [manifest.checkpoint, identity].map(({ boundary = "text" }) => boundary);
  if (begins !== got) {
    throw new ConfigError(`boundary: expected ${begins}, as ${directory} was read, got ${got}`);
  }
  if (part === undefined) return;
  throw new ConfigError(
    `checkpoint: expected the ${IDENTITY_PARTS[part]} that ${directory} was read with, got another one`,
    { hint: "Give the same --checkpoint, --adapter and --template as to culprit embed." },
  );
}
