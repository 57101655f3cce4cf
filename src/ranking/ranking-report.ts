import { z } from "zod";

import { causeOf } from "../attribution/cause-of.ts";
import type { LowNorm } from "../attribution/low-norm.ts";
import { type PairScores, usedMethodSchema } from "../attribution/method.ts";
import { nullComparisonSchema } from "../attribution/null-comparison.ts";
import type { PairRows } from "../attribution/pair-rows.ts";
import { percentile, rankScores } from "../attribution/rank-scores.ts";
import { type PairText, pairTextSchema } from "../pairs/pair-text.ts";
import { countsSchema, jsonArtifact } from "../util/artifact.ts";
import { commonestFirst } from "../util/commonest-first.ts";
import {
  type ConfoundRanks,
  confoundTable,
  confoundTableSchema,
  rankConfounds,
} from "./confound-table.ts";
import { chooseGroupColumn, groupName } from "./group-column.ts";
import { liftTables, liftTableSchema } from "./lift-table.ts";
import { rankedRefinementSchema } from "./ranked-refinement.ts";
import { signalVerdict, signalVerdictSchema, unusedNullSchema } from "./signal-verdict.ts";
import { compareUnrelated, tailSizes, unrelatedComparisonSchema } from "./unrelated-null.ts";

const rankedPairSchema = z.strictObject({
  id: z.string(),
  row: z.int(),
  /** Its value in the column that the lift table is about. */
  group: z.string().optional(),
  score: z.number(),
  rank: z.int(),
  /** Share of the scored pairs below it, in percent. */
  percentile: z.number(),
  /** Of its vector, where vectors were scored. */
  norm: z.number().optional(),
  isLowNorm: z.boolean().optional(),
  /** What of the behaviour decided the score: the scenario whose vector was nearest, say. */
  winner: z.string().optional(),
  /** What it says, cut short; of the pairs at the top, where the text was at hand. */
  text: pairTextSchema.optional(),
});

const rankingReportSchema = z.strictObject({
  /** Of methods that know behaviours. */
  behavior: z.string().optional(),
  /** Of methods that have layers. */
  layer: z.int().optional(),
  method: usedMethodSchema,
  /** Why the ranking is evidence of nothing, the behaviour's vector not being stable say; absent where nothing is known against it. */
  doubt: z.string().optional(),
  pairs: z.int(),
  /** Pairs with a score. */
  scored: z.int(),
  /** Why the others have none, the commonest cause first; absent where all have one. */
  unscored: countsSchema.optional(),
  /** Where only the top of another ranking was to be scored: how many pairs, and by which method as far as that is known. */
  candidates: z.strictObject({ top: z.int(), method: z.string().optional() }).optional(),
  /** Different scores, and the pairs of the commonest. */
  ties: z.strictObject({ values: z.int(), largest: z.int() }),
  /** What the method has to say of itself, sentences; absent where it says nothing. */
  remarks: z.array(z.string()).readonly().optional(),
  /** Of a store whose likeliest pairs alone were read exactly: how far the top can be trusted. */
  refined: rankedRefinementSchema.optional(),
  /** Of these, what must be known before the scores are trusted; absent where there is nothing. */
  warnings: z.array(z.string()).readonly().optional(),
  /** Numbers behind the remarks, by name. */
  figures: z.record(z.string(), z.number()).optional(),
  /** Of vectors, where vectors were scored; those of length zero have no score. */
  lowNorm: z
    .strictObject({
      threshold: z.number(),
      median: z.number(),
      count: z.int(),
      zero: z.int(),
    })
    .optional(),
  top: z.array(rankedPairSchema).readonly(),
  bottom: z.array(rankedPairSchema).readonly(),
  /** Absent where there are no null scores. */
  null: nullComparisonSchema.optional(),
  /** Beside the rankings by unrelated behaviours, the second null. */
  unrelated: z.array(unrelatedComparisonSchema).readonly(),
  /** Concentrated, diffuse or no signal; absent where that cannot be told, see signalVerdict. */
  verdict: signalVerdictSchema.optional(),
  /** The kept column that `lifts` is about; absent where the pairs have none. */
  by: z.string().optional(),
  lifts: z.array(liftTableSchema).readonly(),
  confounds: confoundTableSchema,
});

export const rankReportSchema = z.strictObject({
  /** The layer whose ranking is written alone; absent where all are. */
  layer: z.int().optional(),
  /** Why, one sentence; absent where it was named. */
  layerReason: z.string().optional(),
  /** Unrelated behaviours that there was nothing to make of, and why; absent where there are none. */
  skippedNulls: z.array(unusedNullSchema).readonly().optional(),
  /** What all scores took together, beside time and money. */
  cost: z.strictObject({ tokens: z.number(), flops: z.number(), bytes: z.number() }),
  /** Of every behaviour and layer. */
  rankings: z.array(rankingReportSchema).readonly(),
});

/** What is to be known of the rankings by one method. */
export type RankReport = z.output<typeof rankReportSchema>;
export const RANK_REPORT = jsonArtifact(
  "ranking.json",
  "the report of a ranking",
  rankReportSchema,
);

/** What is to be known of one ranking beside the ranking itself. */
export type RankingReport = z.output<typeof rankingReportSchema>;
/** A pair's place in a ranking. */
export type RankedPair = z.output<typeof rankedPairSchema>;

/** A top of the ranking: a number of pairs, or a share of the scored ones. */
export type TopSize = { readonly count: number } | { readonly share: number };

/** Pairs of a top of so many; of a share one at least. */
export const topPairs = (top: TopSize, pairs: number): number =>
  "count" in top ? top.count : Math.max(1, Math.round(top.share * pairs));

export interface RankingReportOptions {
  /** Pairs to list at either end; default 10. */
  readonly show?: number | undefined;
  /** Default 1%, 5% and 10%. */
  readonly tops?: readonly TopSize[] | undefined;
  /** Kept column of the lift tables; default `source` where there is one, else no tables. */
  readonly by?: string | undefined;
}

const DEFAULT_TOPS: readonly TopSize[] = [{ share: 0.01 }, { share: 0.05 }, { share: 0.1 }];

/** Reports on every ranking of the rows. Throws ConfigError where the column `by` is not among the kept ones. */
export function reportRankings(
  rows: PairRows,
  rankings: readonly PairScores[],
  options: RankingReportOptions = {},
): RankingReport[] {
  const by = chooseGroupColumn(Object.keys(rows.columns), options.by);
  const groups = by === undefined ? undefined : rows.columns[by]!.map(groupName);
  // All rankings by the same vectors score the same pairs, those whose vector has a length.
  const confoundsOf = new Map<unknown, ConfoundRanks>();
  return rankings.map((ranking) => {
    const { method, scores, vectors, behavior, layer, doubt } = ranking;
    const { order, scored } = rankScores(scores);
    const data = { lengths: rows.lengths, norms: vectors?.norms };
    const confounds = confoundsOf.get(vectors ?? ranking) ?? rankConfounds(scores, data);
    confoundsOf.set(vectors ?? ranking, confounds);
    const show = Math.min(options.show ?? 10, scored);
    const describe = (place: number): RankedPair =>
      rankedPair({ rows, ranking, groups, scored }, { row: order[place]!, rank: place + 1 });
    const tops = topSizes(options, scored);
    const tails = ranking.null === undefined ? [] : tailSizes(ranking.null.signal, scored);
    const sizes = [...new Set([...tops, ...tails])];
    const unrelated = (ranking.unrelated ?? []).map((each) =>
      compareUnrelated(scores, each, sizes),
    );
    const { hasVerdict } = method.traits;
    return {
      behavior,
      layer,
      method,
      doubt,
      pairs: order.length,
      scored,
      unscored: countCauses(ranking, order.subarray(scored)),
      candidates: ranking.candidates && {
        top: ranking.candidates.top,
        method: ranking.candidates.method,
      },
      ties: countTies(scores, order.subarray(0, scored)),
      remarks: ranking.remarks,
      warnings: ranking.warnings?.length === 0 ? undefined : ranking.warnings,
      figures: ranking.figures,
      lowNorm: vectors && withoutRows(vectors.lowNorm),
      top: Array.from({ length: show }, (_, i) => describe(i)),
      bottom: Array.from({ length: show }, (_, i) => describe(scored - show + i)),
      null: ranking.null,
      unrelated: unrelated.map((each) => ({
        ...each,
        overlaps: each.overlaps.filter(({ k }) => tops.includes(k)),
      })),
      verdict: signalVerdict({ hasVerdict, doubt, scored, null: ranking.null, unrelated }),
      by,
      lifts:
        groups === undefined ? [] : liftTables(groups, comparedRows(ranking, order, scored), tops),
      confounds: confoundTable(scores, confounds),
    };
  });
}

/** The rows that the top is held to, in the order of their scores: those with one, and those that were not to be scored. */
function comparedRows({ candidates }: PairScores, order: Uint32Array, scored: number): Uint32Array {
  if (candidates === undefined) return order.subarray(0, scored);
  return order.filter((row, i) => i < scored || candidates.isCandidate[row] !== 1);
}

function countCauses(
  ranking: PairScores,
  rows: Uint32Array,
): Readonly<Record<string, number>> | undefined {
  if (rows.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const row of rows) {
    const cause = causeOf(ranking, row)!; // it has no score
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
  return commonestFirst(counts);
}

/** `rows` are in the order of their scores. */
function countTies(scores: Float32Array, rows: Uint32Array): RankingReport["ties"] {
  let [values, largest, run] = [0, 0, 0];
  for (const [i, row] of rows.entries()) {
    const isSame = i > 0 && scores[row] === scores[rows[i - 1]!];
    run = isSame ? run + 1 : 1;
    if (!isSame) values++;
    largest = Math.max(largest, run);
  }
  return { values, largest };
}

/** The reports with the text of the pairs at their tops, as far as it is given. */
export function withTopText(
  reports: readonly RankingReport[],
  texts: ReadonlyMap<string, PairText>,
): RankingReport[] {
  return reports.map((report) => ({
    ...report,
    top: report.top.map((pair) => ({ ...pair, text: texts.get(pair.id) })),
  }));
}

function withoutRows({ isLow: _isLow, ...counts }: LowNorm): Omit<LowNorm, "isLow"> {
  return counts;
}

function rankedPair(
  from: {
    rows: PairRows;
    ranking: PairScores;
    groups: readonly string[] | undefined;
    scored: number;
  },
  { row, rank }: { row: number; rank: number },
): RankedPair {
  const { rows, ranking, groups, scored } = from;
  const { scores, vectors, winners, winnerNames } = ranking;
  return {
    id: rows.ids[row]!,
    row: rows.rows[row]!,
    group: groups?.[row],
    score: scores[row]!,
    rank,
    percentile: percentile(rank, scored) ?? 0,
    norm: vectors?.norms[row],
    isLowNorm: vectors && vectors.lowNorm.isLow[row] === 1,
    winner: winnerNames?.[winners?.[row] ?? -1],
  };
}

/** The sizes of the tops in pairs, rising, each once. */
function topSizes({ tops = DEFAULT_TOPS }: RankingReportOptions, scored: number): number[] {
  if (scored === 0) return [];
  const sizes = tops.map((top) => Math.min(topPairs(top, scored), scored));
  return [...new Set(sizes)].toSorted((a, b) => a - b);
}
