/** @file The rankings of a run side by side, by pair: what the table of pairs is made from. */
import { readRankedRows } from "../ranking/read-ranked-rows.ts";
import type { RunRanking } from "./read-rankings.ts";
import type { PairMethod } from "./report-source.ts";

/** The pairs of a run in the order of its first ranking; N pairs. */
export interface RankedPairs {
  readonly methods: readonly PairMethod[];
  /** [N] */
  readonly ids: readonly string[];
  readonly sources: readonly (string | undefined)[];
  /** NaN where pairs have no vector. */
  readonly norms: Float32Array;
  readonly isLowNorm: Uint8Array;
  /** Of each method, [N]; NaN and rank 0 where a pair has none. */
  readonly scores: readonly Float32Array[];
  readonly ranks: readonly Int32Array[];
  /** Of methods that say what decided a score. */
  readonly winners: readonly (readonly (string | undefined)[] | undefined)[];
}

/** Reads all rankings into memory, some 60 bytes a pair and method beside the ids. Undefined where there is none. */
export async function readRankedPairs(
  rankings: readonly RunRanking[],
  signal: AbortSignal | undefined,
): Promise<RankedPairs | undefined> {
  const [first, ...others] = rankings;
  if (first === undefined) return undefined;
  const ids: string[] = [];
  const sources: (string | undefined)[] = [];
  const n = first.ranking.pairs;
  const norms = new Float32Array(n).fill(Number.NaN);
  const isLowNorm = new Uint8Array(n);
  const place = new Map<string, number>();
  const columns = rankings.map(() => ({
    scores: new Float32Array(n).fill(Number.NaN),
    ranks: new Int32Array(n),
    winners: undefined as (string | undefined)[] | undefined,
  }));
  const put = (method: number, at: number, row: Row): void => {
    const column = columns[method]!;
    if (row.score !== undefined) {
      column.scores[at] = row.score;
      column.ranks[at] = row.rank;
    }
    if (row.winner !== undefined) (column.winners ??= [])[at] = row.winner;
  };
  for await (const row of readRankedRows(first.path, first.ranking.layer, { signal })) {
    const at = ids.length;
    ids.push(row.id);
    sources.push(row.source);
    place.set(row.id, at);
    if (row.norm !== undefined) norms[at] = row.norm;
    isLowNorm[at] = Number(row.isLowNorm);
    put(0, at, row);
  }
  for (const [i, { path, ranking }] of others.entries()) {
    for await (const row of readRankedRows(path, ranking.layer, { signal })) {
      const at = place.get(row.id);
      if (at !== undefined) put(i + 1, at, row);
    }
  }
  return {
    methods: rankings.map(({ label, ranking: { method, scored } }) => ({
      label,
      formula: method.formula,
      scored,
      isBounded: method.traits.isBounded,
    })),
    ids,
    sources,
    norms,
    isLowNorm,
    scores: columns.map(({ scores }) => scores),
    ranks: columns.map(({ ranks }) => ranks),
    winners: columns.map(({ winners }) => winners),
  };
}

type Row =
  ReturnType<typeof readRankedRows> extends AsyncGenerator<infer R, unknown, unknown> ? R : never;
