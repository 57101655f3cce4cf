import type { LowNorm } from "../attribution/low-norm.ts";
import type { NullComparison } from "../attribution/null-comparison.ts";
import { percentile, rankScores } from "../attribution/rank-scores.ts";
import type { BehaviorScores, StoreScores } from "../attribution/rank-store.ts";
import type { Scorer } from "../attribution/scorer.ts";
import type { ColumnValue } from "../pairs/preference-pair.ts";
import type { StoreTable } from "../store/read-store-table.ts";
import { ConfigError } from "../util/errors.ts";
import {
  type ConfoundRanks,
  type ConfoundTable,
  confoundTable,
  rankConfounds,
} from "./confound-table.ts";
import { type LiftTable, liftTables } from "./lift-table.ts";
import { type SignalVerdict, signalVerdict } from "./signal-verdict.ts";
import { compareUnrelated, tailSizes, type UnrelatedComparison } from "./unrelated-null.ts";

/** A pair's place in a ranking; no text of the pair. */
export interface RankedPair {
  readonly id: string;
  readonly row: number;
  /** Its value in the column that the lift table is about. */
  readonly group: string | undefined;
  readonly score: number;
  readonly rank: number;
  /** Share of the scored pairs below it, in percent. */
  readonly percentile: number;
  readonly norm: number;
  readonly isLowNorm: boolean;
  /** The scenario whose vector was nearest; bank scorers only. */
  readonly winner: string | undefined;
}

/** What is to be known of one ranking beside the ranking itself. */
export interface RankingReport {
  readonly behavior: string;
  readonly layer: number;
  readonly scorer: Scorer;
  /** Why the behaviour's vector is not stable at this layer, which makes the ranking evidence of nothing; undefined where it is. */
  readonly doubt: string | undefined;
  readonly pairs: number;
  /** Pairs with a score; the others' vectors have length zero. */
  readonly scored: number;
  readonly lowNorm: Omit<LowNorm, "isLow">;
  readonly top: readonly RankedPair[];
  readonly bottom: readonly RankedPair[];
  /** Undefined where the behaviour has no null directions. */
  readonly null: NullComparison | undefined;
  /** Beside the rankings by unrelated behaviours, the second null. */
  readonly unrelated: readonly UnrelatedComparison[];
  /** Concentrated, diffuse or no signal; undefined where that cannot be told, see signalVerdict. */
  readonly verdict: SignalVerdict | undefined;
  /** The kept column that `lifts` is about; undefined where the pairs have none. */
  readonly by: string | undefined;
  readonly lifts: readonly LiftTable[];
  readonly confounds: ConfoundTable;
}

/** A top of the ranking: a number of pairs, or a share of the scored ones. */
export type TopSize = { readonly count: number } | { readonly share: number };

export interface RankingReportOptions {
  /** Pairs to list at either end; default 10. */
  readonly show?: number | undefined;
  /** Default 1%, 5% and 10%. */
  readonly tops?: readonly TopSize[] | undefined;
  /** Kept column of the lift tables; default `source` where there is one, else no tables. */
  readonly by?: string | undefined;
}

const DEFAULT_TOPS: readonly TopSize[] = [{ share: 0.01 }, { share: 0.05 }, { share: 0.1 }];
/** What an empty cell is called. */
const NO_GROUP = "(none)";

/** Reports on every ranking. Throws ConfigError where the column `by` is not among the kept ones. */
export function reportRankings(
  table: StoreTable,
  { layers, rankings }: StoreScores,
  options: RankingReportOptions = {},
): RankingReport[] {
  const by = chooseGroupColumn(Object.keys(table.columns), options.by);
  const groups = by === undefined ? undefined : table.columns[by]!.map(groupName);
  // All rankings of a layer score the same pairs, those whose vector has a length.
  const confoundsOf = new Map<number, ConfoundRanks>();
  return rankings.map((ranking) => {
    const norms = layers.find(({ layer }) => layer === ranking.layer);
    if (norms === undefined) throw new Error(`internal: no norms of layer ${ranking.layer}`);
    const { order, scored } = rankScores(ranking.scores);
    const data = { tokens: table.tokens, norms: norms.norms };
    const confounds = confoundsOf.get(ranking.layer) ?? rankConfounds(ranking.scores, data);
    confoundsOf.set(ranking.layer, confounds);
    const ranked = order.subarray(0, scored);
    const show = Math.min(options.show ?? 10, scored);
    const describe = (place: number): RankedPair =>
      rankedPair({ table, ranking, groups, scored }, norms, {
        row: order[place]!,
        rank: place + 1,
      });
    const tops = topSizes(options, scored);
    const sizes = new Set([
      ...tops,
      ...(ranking.null === undefined ? [] : tailSizes(ranking.null.signal, scored)),
    ]);
    const unrelated = ranking.unrelated.map((each) =>
      compareUnrelated(ranking.scores, each, [...sizes]),
    );
    const { isLow: _isLow, ...lowNorm } = norms.lowNorm;
    return {
      behavior: ranking.behavior,
      layer: ranking.layer,
      scorer: ranking.scorer,
      doubt: ranking.doubt,
      pairs: order.length,
      scored,
      lowNorm,
      top: Array.from({ length: show }, (_, i) => describe(i)),
      bottom: Array.from({ length: show }, (_, i) => describe(scored - show + i)),
      null: ranking.null,
      unrelated: unrelated.map((each) => ({
        ...each,
        overlaps: each.overlaps.filter(({ k }) => tops.includes(k)),
      })),
      verdict: signalVerdict({ ...ranking, scored, unrelated }),
      by,
      lifts: groups === undefined ? [] : liftTables(groups, ranked, tops),
      confounds: confoundTable(ranking.scores, confounds),
    };
  });
}

/**
 * The kept column that lift tables are about: the one asked for, else `source` where there is one. Throws ConfigError where the
 * one asked for is not among the names.
 */
export function chooseGroupColumn(
  names: readonly string[],
  asked: string | undefined,
): string | undefined {
  if (asked === undefined) return names.includes("source") ? "source" : undefined;
  if (names.includes(asked)) return asked;
  throw new ConfigError(
    `column "${asked}": expected one of the columns kept with the pairs: ${names.length === 0 ? "none" : names.join(", ")}`,
    { hint: "embed --keep NAMES (edit: --keep) keeps more of them." },
  );
}

function rankedPair(
  from: {
    table: StoreTable;
    ranking: BehaviorScores;
    groups: readonly string[] | undefined;
    scored: number;
  },
  norms: StoreScores["layers"][number],
  { row, rank }: { row: number; rank: number },
): RankedPair {
  const { table, ranking, groups, scored } = from;
  return {
    id: table.ids[row]!,
    row: table.rows[row]!,
    group: groups?.[row],
    score: ranking.scores[row]!,
    rank,
    percentile: percentile(rank, scored) ?? 0,
    norm: norms.norms[row]!,
    isLowNorm: norms.lowNorm.isLow[row] === 1,
    winner: ranking.winners === undefined ? undefined : ranking.scenarioIds[ranking.winners[row]!],
  };
}

/** What a group is called whose pairs have this value in a column. */
export function groupName(value: ColumnValue): string {
  return value === null ? NO_GROUP : String(value);
}

/** The sizes of the tops in pairs, rising, each once. */
function topSizes({ tops = DEFAULT_TOPS }: RankingReportOptions, scored: number): number[] {
  if (scored === 0) return [];
  const sizes = tops.map((top) =>
    "count" in top ? Math.min(top.count, scored) : Math.max(1, Math.round(top.share * scored)),
  );
  return [...new Set(sizes)].toSorted((a, b) => a - b);
}
