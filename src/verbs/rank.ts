import { z } from "zod";

import { type CandidateRanking, findCandidates } from "../attribution/candidates.ts";
import type { AttributionMethod, OwnAnswers, PairScores } from "../attribution/method.ts";
import { findMethod, METHODS } from "../attribution/methods/index.ts";
import { type PairRows, readPairRows, storeRows } from "../attribution/pair-rows.ts";
import { directionHash } from "../attribution/refine-store.ts";
import { scorePairs } from "../attribution/score-pairs.ts";
import { readBehavior, type StoredBehavior } from "../behavior/behavior-file.ts";
import { readUsedLayer, type UsedLayer } from "../behavior/used-layer.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { chooseGroupColumn } from "../ranking/group-column.ts";
import { doubtOfRefinement, rankedRefinement } from "../ranking/ranked-refinement.ts";
import { readRanking } from "../ranking/ranking-file.ts";
import {
  RANK_REPORT,
  type RankingReport,
  type RankReport,
  reportRankings,
  withTopText,
} from "../ranking/ranking-report.ts";
import type { UnusedNull } from "../ranking/signal-verdict.ts";
import { writeRankings } from "../ranking/write-ranking.ts";
import { TABLE_ENDINGS } from "../ranking/write-table.ts";
import type { RequestsEstimate } from "../rollouts/estimate-rollouts.ts";
import { ROLLOUT_MANIFEST, rolloutManifestPath } from "../rollouts/rollout-manifest.ts";
import { readRollouts } from "../rollouts/rollouts.ts";
import type { VectorStore } from "../store/open-store.ts";
import { readStoreTable } from "../store/read-shard.ts";
import { listCounts } from "../util/commonest-first.ts";
import { ConfigError } from "../util/errors.ts";
import { withSetting } from "../util/in-setting.ts";
import type { JobOptions } from "../util/progress.ts";
import { whole } from "../util/setting-kinds.ts";
import { linesOf } from "../util/text-table.ts";
import { engineSettings } from "./inputs/checkpoint.ts";
import {
  behaviorsInput,
  openRollouts,
  rankingInput,
  rolloutsInput,
  storeInput,
} from "./inputs/files.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { countedResponsesInput } from "./inputs/responses.ts";
import { expectSamePairs } from "./inputs/same-pairs.ts";
import { openScoringModels, scoringInput, trainedInput } from "./inputs/scoring-models.ts";
import { noting } from "./judging/open-asker.ts";
import { answersOutput, fileNamed, resultOutput } from "./outputs.ts";
import { contradictions } from "./ranking/contradictions.ts";
import { type AskedInputs, estimateRanking, formatRankingEstimate } from "./ranking/estimate.ts";
import { openMethodEndpoint } from "./ranking/method-endpoint.ts";
import { readTopText } from "./ranking/top-text.ts";
import { by, layersOrAuto, tops } from "./settings/common.ts";
import { candidateTop, methodLabel, methodSettings, ownSettings } from "./settings/methods.ts";
import { budgetUsedUp, describeUsage, type LlmSummary, tooManyUnjudged } from "./show/llm-usage.ts";
import { formatRankings } from "./show/ranking.ts";
import { defineVerb, type Input, need, type Work } from "./verb.ts";

/** Rollouts, and of which checkpoint they say they are. */
export async function openOwnAnswers(path: string): Promise<OwnAnswers> {
  const manifest = await ROLLOUT_MANIFEST.find(rolloutManifestPath(path));
  const checkpointHash = manifest?.kind === "rollouts" ? manifest.checkpointHash : undefined;
  return { path, checkpointHash, read: (job) => readRollouts(path, job) };
}

/** Rollouts of the checkpoint before to the pairs' prompts. */
const ownAnswersInput = {
  ...rolloutsInput,
  describe:
    "Rollouts of the checkpoint before training on the pairs' prompts, for methods that hold a response to them.",
  isOptional: true,
  open: async (paths, _settings, work) => openOwnAnswers(await openRollouts(paths, work)),
} as const satisfies Input<OwnAnswers>;

/** A ranking whose top alone is scored. */
export interface OpenedCandidates extends CandidateRanking {
  readonly pairsHash: string | undefined;
}

const candidatesInput = {
  ...rankingInput,
  describe:
    "A ranking of the same pairs by a cheaper method, whose top alone is scored (--top says how many).",
  isOptional: true,
  open: ([path = ""], _settings, { signal }) => openCandidates(path, { signal }),
} as const satisfies Input<OpenedCandidates>;

/** Reads the one ranking of a file. */
export async function openCandidates(
  path: string,
  job: Pick<JobOptions, "signal"> = {},
): Promise<OpenedCandidates> {
  const { ids, scored, file } = await readRanking(path, job);
  return { path, ids, scored, method: file?.method, pairsHash: file?.pairsHash };
}

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
    behaviors: await Promise.all(paths.map((path) => readBehavior(path))),
    skipped: [],
  }),
} as const satisfies Input<NullBehaviors>;

/** What is found, and what an endpoint was asked for it. */
export type Ranked = RankReport & { readonly llm?: LlmSummary | undefined };

/** The report without what asking took: that differs from run to run, and a stage's cost has it. */
const writtenReport = {
  ...RANK_REPORT,
  write: (path: string, value: unknown): Promise<void> => {
    const { llm: _, ...report } = value as Ranked; // what run gives back
    return RANK_REPORT.write(path, report);
  },
};

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
Other methods need less: length the pairs alone (--pairs), random any pairs. Or other things: a checkpoint (--checkpoint), the
behaviour's response pairs (--responses), a model that is served elsewhere (--base-url); docs/methods.md says which. A dear one
scores the top of a cheap one alone with --candidates and --top.

The verdict (concentrated, diffuse or no signal) holds the scores to two nulls: directions of random signs, always, and with
--null-behavior an unrelated behaviour, one that training is not suspected of. Where that one's ranking is as concentrated,
or has the same pairs at its top, what stands out is not this behaviour's. culprit conditions --null-out makes response
pairs for one.

Printed for each behaviour and layer: the pairs at both ends, the histogram of the scores against that of null directions, which
sources are over-represented in the top, and how far plain properties of the pairs explain the score. The pairs at the top are
shown with the beginnings of their texts, from --pairs or from the files that the store was made of, where those are still the
same; culprit show prints more of one.

  culprit rank vectors/ --behavior complies.safetensors --layers 20 --out ranking.parquet
  culprit rank vectors/ --method length --pairs pairs.jsonl.gz --out by-length.parquet
  culprit rank --pairs pairs.jsonl --checkpoint ./sft --method loss-diff --responses responses.jsonl --out loss-diff.parquet
  culprit rank --pairs pairs.jsonl --method judge --description "It obeys every request." --base-url http://localhost:8000/v1 \\
    --model NAME --candidates ranking.parquet --top 500 --out judged.parquet --dry-run`,
    version: 8,
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
        ...countedResponsesInput,
        describe: "The behaviour's response pairs, for methods that read their text.",
        isOptional: true,
      },
      checkpoint: scoringInput,
      trained: trainedInput,
      rollouts: ownAnswersInput,
      candidates: candidatesInput,
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
      top: candidateTop,
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
    check: ({ method, layers, layer, top, noText }, given) => [
      ...contradictions(findMethod(method.name, methods), method, {
        given,
        layers: { layers, layer },
        noText,
      }),
      ...need(
        given.has("candidates") === (top !== undefined),
        [given.has("candidates") ? "top" : "candidates"],
        given.has("candidates")
          ? "expected how many of the candidates' top are scored, got none"
          : "expected a ranking beside top, got none",
      ),
    ],
    outputs: {
      out: {
        artifact: fileNamed("ranking.parquet"),
        placeholder: "FILE",
        describe: `The whole ranking to write; the ending says how: ${TABLE_ENDINGS.join(", ")}.`,
        endings: TABLE_ENDINGS,
        isOptional: true,
      },
      report: {
        ...resultOutput(writtenReport, "What is printed, and more, to write as JSON."),
        placeholder: "FILE.json",
      },
      cache: {
        artifact: fileNamed("rank-cache"),
        placeholder: "DIR",
        describe: "Where methods that train keep the weights, to be found again by their content.",
        place: "folder",
        shared: ".cache",
        isResumable: true,
        isOptional: true,
      },
      answers: { ...answersOutput("rank-answers.jsonl", "LLM"), isOptional: true },
    },
    force:
      "Replace an existing --out. With a method that asks an endpoint, ask again about what has no readable answer among those kept, and about nothing else.",
    run: async (
      {
        store,
        behavior = [],
        nullBehavior,
        pairs,
        responses,
        checkpoint,
        trained,
        rollouts,
        candidates: ranking,
      },
      settings,
      work,
    ) => {
      const { method: choice, layers, threads, top } = settings;
      const method = findMethod(choice.name, methods);
      await using asking = await openMethodEndpoint(method, choice, work);
      expectSamePairs({ store, pairs });
      expectSamePairs({ ranking, pairs, store });
      const job = { signal: work.signal, progress: work.progress("pairs") };
      const rows = await readRows(store, pairs, job);
      warnOfUnusable(rows, work);
      const candidates = ranking && findCandidates(rows, ranking, top!); // check
      // Before the work, not after it.
      chooseGroupColumn(Object.keys(rows.columns), settings.by);
      const wanted = await Promise.all(behavior.map((path) => readBehavior(path)));
      const unrelated = nullBehavior?.behaviors ?? [];
      expectNames([...wanted, ...unrelated]);
      const used = await findUsedLayer(behavior, settings.layer);
      // A layer more takes the checkpoint a pass more; of a store it takes next to nothing.
      const asked = method.needs.includes("checkpoint") && used ? [used.layer] : undefined;
      await using models = await openScoringModels(checkpoint, trained, {
        threads,
        warn: work.warn,
      });
      const scoring = scorePairs(
        method,
        {
          rows,
          store,
          pairs,
          responses,
          rollouts,
          endpoint: asking?.source,
          ...models.sources,
          behavior: { wanted, unrelated },
          layers: layers === undefined ? asked : layers === "all" ? undefined : layers,
        },
        ownSettings(choice),
        { ...job, threads, name: methodLabel(choice), candidates, cache: work.out.cache },
      ).catch((error: unknown) => {
        throw asking === undefined ? error : withSetting("method.endpoint", error);
      });
      const scores = await noting(scoring, () => asking?.lines() ?? [], work);
      const reports = reportRankings(rows, scores, settings);
      const texts = settings.noText
        ? undefined
        : await readTopText(reports, { store, pairs }, work);
      const told = texts === undefined ? reports : withTopText(reports, texts);
      const rankings = told.map((report) => ({
        ...report,
        refined: method.needs.includes("store") ? refinedOf(report, store, wanted) : undefined,
      }));
      if (work.out.out !== undefined) {
        const written =
          used === undefined ? scores : scores.filter(({ layer }) => layer === used.layer);
        const hash = store?.manifest.pairs.contentHash ?? pairs?.contentHash;
        await writeRankings(work.out.out, rows, written, hash);
        work.note(`ranking written to ${work.nameOf(work.out.out)}`);
      }
      const skippedNulls = nullBehavior?.skipped.length === 0 ? undefined : nullBehavior?.skipped;
      const usage = scores[0]?.usage;
      const llm = usage && asking?.summary(usage);
      return { ...used, skippedNulls, cost: costOf(scores, work.cost), rankings, llm };
    },
    show: ({ rankings, llm }: Ranked) =>
      [formatRankings(rankings), ...(llm === undefined ? [] : describeUsage(llm))].join("\n"),
    warnings: ({ rankings }: Ranked) => rankings.flatMap(doubtsOf),
    fault: ({ llm }: Ranked) => tooManyUnjudged(llm, "method.endpoint.maxMissing"),
    unfinished: ({ llm }: Ranked) =>
      llm === undefined || llm.beyondBudget === 0
        ? undefined
        : budgetUsedUp(`${llm.beyondBudget} questions`, "method.maxCost"),
    estimate: {
      of: (inputs: AskedInputs, { method: choice, top }, { out, isForced, signal }) =>
        estimateRanking(findMethod(choice.name, methods), inputs, {
          choice,
          top,
          answers: out.answers,
          isForced,
          signal,
        }),
      show: (estimate: RequestsEstimate) => formatRankingEstimate(estimate),
    },
  });
}

export const rank = rankVerb();

export async function readRows(
  store: VectorStore | undefined,
  pairs: PairSet | undefined,
  job: JobOptions,
): Promise<PairRows> {
  if (store !== undefined) return storeRows(await readStoreTable(store));
  if (pairs !== undefined) return readPairRows(pairs, job);
  throw new ConfigError("rank: expected a store or pairs to score, got neither");
}

/** Rows that are no pairs are in no ranking, with no cause beside them. */
function warnOfUnusable({ ids, unusable = {} }: PairRows, { warn }: Pick<Work, "warn">): void {
  const count = Object.values(unusable).reduce((sum, each) => sum + each, 0);
  if (count === 0) return;
  warn(
    `pairs: ${count} of ${ids.length + count} rows are no usable pairs and are not ranked: ${listCounts(unusable)}; culprit audit lists them`,
  );
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

/** What a store says of itself whose likeliest pairs alone are exact, as far as it is about a ranking. */
function refinedOf(
  { behavior: name, layer, method }: RankingReport,
  store: VectorStore | undefined,
  behaviors: readonly StoredBehavior[],
): RankingReport["refined"] {
  const refinement = store?.manifest.refined;
  if (refinement === undefined) return undefined;
  const behavior = behaviors.find((each) => each.name === name);
  const isAtLayer = behavior !== undefined && layer !== undefined;
  const direction = isAtLayer ? directionHash(behavior, layer) : undefined;
  return rankedRefinement(refinement, { layer, direction, scorer: method.settings["scorer"] });
}

function doubtsOf(report: RankingReport): readonly string[] {
  const { method, behavior, layer, doubt, verdict, scored, ties } = report;
  const where =
    behavior === undefined
      ? `method ${method.name}`
      : `behavior "${behavior}"${layer === undefined ? "" : `, layer ${layer}`}`;
  return linesOf([
    scored > 1 &&
      ties.values === 1 &&
      `${where}: all ${scored} scores are the same: the ranking is the order of the rows and says nothing`,
    scored === 0 && `${where}: no pair has a score`,
    report.warnings?.map((each) => `${where}: ${each}`),
    [report.refined && doubtOfRefinement(report.refined)].map(
      (each) => each !== undefined && `${where}: ${each}`,
    ),
    doubt !== undefined && `${where}: ${doubt}`,
    verdict?.notHeldTo.map((other) => `${where}: not held to "${other.behavior}": ${other.reason}`),
  ]);
}
