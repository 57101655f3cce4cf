import { z } from "zod";

import type { AttributionMethod, PairScores } from "../attribution/method.ts";
import { findMethod, METHODS } from "../attribution/methods/index.ts";
import { type PairRows, readPairRows, storeRows } from "../attribution/pair-rows.ts";
import { scorePairs } from "../attribution/score-pairs.ts";
import { readBehavior, type StoredBehavior } from "../behavior/behavior-file.ts";
import { readUsedLayer, type UsedLayer } from "../behavior/used-layer.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { readResponsePairs } from "../pairs/response-pairs.ts";
import { chooseGroupColumn } from "../ranking/group-column.ts";
import {
  RANK_REPORT,
  type RankingReport,
  type RankReport,
  reportRankings,
  withTopText,
} from "../ranking/ranking-report.ts";
import type { UnusedNull } from "../ranking/signal-verdict.ts";
import { RANKING_ENDINGS, writeRankings } from "../ranking/write-ranking.ts";
import type { VectorStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-shard.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { whole } from "../util/setting-kinds.ts";
import { linesOf } from "../util/text-table.ts";
import { engineSettings } from "./inputs/checkpoint.ts";
import { behaviorsInput, openingOptions, responsesInput, storeInput } from "./inputs/files.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { expectSamePairs } from "./inputs/same-pairs.ts";
import { openScoringModels, scoringInput, trainedInput } from "./inputs/scoring-models.ts";
import { fileNamed, resultOutput } from "./outputs.ts";
import { contradictions } from "./ranking/contradictions.ts";
import { readTopText } from "./ranking/top-text.ts";
import { by, layersOrAuto, tops } from "./settings/common.ts";
import { methodLabel, methodSettings, ownSettings } from "./settings/methods.ts";
import { formatRankings } from "./show/ranking.ts";
import { defineVerb, type Input } from "./verb.ts";

/** Unrelated behaviours, and those that there was nothing to make of. */
export interface NullBehaviors {
  readonly behaviors: readonly StoredBehavior[];
  readonly skipped: readonly UnusedNull[];
}

const nullBehaviorInput = {
  ...behaviorsInput,
  describe:
    "A behaviour file of an unrelated behaviour, as a second null; may be given several times.",
  isOptional: true,
  open: async (paths): Promise<NullBehaviors> => ({
    behaviors: await Promise.all(paths.map(readBehavior)),
    skipped: [],
  }),
} as const satisfies Input<NullBehaviors>;

/** The verb over some methods. */
// eslint-disable-next-line typescript/explicit-module-boundary-types -- a declaration is typed by what stands in it
export function rankVerb(methods: readonly AttributionMethod[] = METHODS) {
  return defineVerb({
    name: "rank",
    summary: "Scores all pairs for a behaviour and ranks them",
    about: `
STORE is the folder that culprit embed wrote, the behaviour a file of culprit behavior made with the same checkpoint. Several
behaviours and layers are scored in one pass. A high score: going from the rejected to
the chosen response moves the activations the way the behaviour does. What training on the pair does is not measured here.
Other methods need less: length the pairs alone (--pairs), random any pairs.

The verdict (concentrated, diffuse or no signal) holds the scores to two nulls: directions of random signs, always, and with
--null-behavior an unrelated behaviour, one that training is not suspected of. Where that one's ranking is as concentrated,
or has the same pairs at its top, what stands out is not this behaviour's. culprit conditions --null-out makes response
pairs for one.

Printed for each behaviour and layer: the pairs at both ends, the histogram of the scores against that of null directions, which
sources are over-represented in the top, and how far plain properties of the pairs explain the score. The pairs at the top are
shown with the beginnings of their texts, from --pairs or from the files that the store was made of, where those are still the
same; culprit show prints more of one.

  culprit rank vectors/ --behavior complies.safetensors --layers 20 --out ranking.parquet
  culprit rank vectors/ --method length --pairs pairs.jsonl.gz --out by-length.parquet`,
    version: 6,
    inputs: {
      store: { ...storeInput, isPositional: true, isOptional: true },
      behavior: { ...behaviorsInput, isOptional: true },
      nullBehavior: nullBehaviorInput,
      pairs: {
        ...pairsInput,
        describe:
          "Files of the preference pairs: for methods that read their text, without STORE, and for the text of the top pairs.",
        isPositional: false,
        isOptional: true,
      },
      responses: {
        ...responsesInput,
        describe: "The behaviour's response pairs, for methods that read their text.",
        isOptional: true,
        open: ([path = ""], _settings, work) => readResponsePairs(path, openingOptions(work)),
      },
      checkpoint: scoringInput,
      trained: trainedInput,
    },
    settings: z.strictObject({
      method: methodSettings(methods).prefault({}),
      layers: layersOrAuto.optional().meta({
        description:
          "Layers: numbers and ranges like 8,10-12, all, or auto, the one that culprit behavior chose. Absent: all that store and behaviour share.",
        placeholder: "LIST",
      }),
      layer: z
        .union([whole, z.literal("auto")], { error: "expected a layer number or auto" })
        .optional()
        .describe(
          "The layer whose ranking is written, of one behaviour; auto: the one that was chosen, or where none was, the most consistent one. Absent: all that are ranked.",
        ),
      tops: tops.describe(
        "Tops for the table of sources: numbers of pairs or shares. Absent: 1%, 5% and 10%.",
      ),
      by: by.describe("Kept column for that table. Absent: source, where there is one."),
      show: whole.max(10_000).default(10).describe("Pairs to list at either end."),
      noText: z
        .boolean()
        .default(false)
        .describe("Prints no text of the pairs at the top.")
        .meta({ counts: false }), // stages never print it
      threads: engineSettings.shape.threads,
    }),
    check: ({ method, layers, layer, noText }, given) =>
      contradictions(findMethod(method.name, methods), method, {
        given,
        layers: { layers, layer },
        noText,
      }),
    outputs: {
      out: {
        artifact: fileNamed("ranking.parquet"),
        placeholder: "FILE",
        describe: `The whole ranking to write; the ending says how: ${RANKING_ENDINGS.join(", ")}.`,
        endings: RANKING_ENDINGS,
        isOptional: true,
      },
      report: {
        ...resultOutput(RANK_REPORT, "What is printed, and more, to write as JSON."),
        placeholder: "FILE.json",
      },
    },
    run: async (
      { store, behavior = [], nullBehavior, pairs, responses, checkpoint, trained },
      settings,
      work,
    ) => {
      const { method: choice, layers, threads } = settings;
      expectSamePairs({ store, pairs });
      const job = { signal: work.signal, progress: work.progress("pairs") };
      const rows = await readRows(store, pairs, job);
      // Before the work, not after it.
      chooseGroupColumn(Object.keys(rows.columns), settings.by);
      const wanted = await Promise.all(behavior.map(readBehavior));
      const unrelated = nullBehavior?.behaviors ?? [];
      expectNames([...wanted, ...unrelated]);
      const used = await findUsedLayer(behavior, settings.layer);
      await using models = await openScoringModels(checkpoint, trained, threads);
      const scores = await scorePairs(
        findMethod(choice.name, methods),
        {
          rows,
          store,
          pairs,
          responses,
          ...models.sources,
          behavior: { wanted, unrelated },
          layers: layers === "all" ? undefined : layers,
        },
        ownSettings(choice),
        { ...job, threads, name: methodLabel(choice) },
      );
      const reports = reportRankings(rows, scores, settings);
      const texts = settings.noText
        ? undefined
        : await readTopText(reports, { store, pairs }, work);
      const rankings = texts === undefined ? reports : withTopText(reports, texts);
      if (work.out.out !== undefined) {
        const written =
          used === undefined ? scores : scores.filter(({ layer }) => layer === used.layer);
        const hash = store?.manifest.pairs.contentHash ?? pairs?.contentHash;
        await writeRankings(work.out.out, rows, written, hash);
        work.note(`ranking written to ${work.nameOf(work.out.out)}`);
      }
      const skippedNulls = nullBehavior?.skipped.length === 0 ? undefined : nullBehavior?.skipped;
      return { ...used, skippedNulls, cost: costOf(scores, work.cost), rankings };
    },
    show: ({ rankings }) => formatRankings(rankings),
    warnings: ({ rankings }: RankReport) => rankings.flatMap(doubtsOf),
  });
}

export const rank = rankVerb();

async function readRows(
  store: VectorStore | undefined,
  pairs: PairSet | undefined,
  job: JobOptions,
): Promise<PairRows> {
  if (store !== undefined) return storeRows(await readStoreTable(store));
  if (pairs !== undefined) return readPairRows(pairs, job);
  throw new ConfigError("rank: expected a store or pairs to score, got neither");
}

function expectNames(behaviors: readonly StoredBehavior[]): void {
  const names = behaviors.map(({ name }) => name);
  const twin = names.find((name, i) => names.indexOf(name) < i);
  if (twin === undefined) return;
  throw new ConfigError(`behavior: expected names of their own, got two called "${twin}"`, {
    hint: "culprit behavior --name gives another name.",
  });
}

async function findUsedLayer(
  behaviors: readonly string[],
  asked: number | "auto" | undefined,
): Promise<UsedLayer | undefined> {
  if (asked === undefined) return undefined;
  const [path] = behaviors;
  if (path !== undefined && behaviors.length === 1) return readUsedLayer(path, asked);
  throw new ConfigError(`layer: expected one behaviour with it, got ${behaviors.length}`);
}

/** Time and money are the stage's: they differ from run to run. */
function costOf(
  [first]: readonly PairScores[],
  meter: { add(tokens: number, flopsPerToken: number): void },
): RankReport["cost"] {
  const { tokens, flops, bytes } = first?.cost ?? { tokens: 0, flops: 0, bytes: 0 };
  if (tokens > 0) meter.add(tokens, flops / tokens);
  return { tokens, flops, bytes };
}

function doubtsOf({ behavior, layer, doubt, verdict }: RankingReport): readonly string[] {
  const where = `behavior "${behavior}", layer ${layer}`;
  return linesOf([
    doubt !== undefined && `${where}: ${doubt}`,
    verdict?.notHeldTo.map((other) => `${where}: not held to "${other.behavior}": ${other.reason}`),
  ]);
}
