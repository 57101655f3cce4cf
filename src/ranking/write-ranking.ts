/** @file Rankings as a table on disk: Parquet, JSON lines or CSV, through DuckDB, best pair first. */
import { causeOf } from "../attribution/cause-of.ts";
import type { PairScores } from "../attribution/method.ts";
import type { PairRows } from "../attribution/pair-rows.ts";
import { percentile, rankScores } from "../attribution/rank-scores.ts";
import type { ColumnValue } from "../pairs/preference-pair.ts";
import { CHUNK_ROWS, type TableColumn, writeTable } from "./write-table.ts";

/** Name of the note in a Parquet ranking's metadata that holds the content hash of the ranked pairs. */
export const PAIRS_HASH_NOTE = "culprit_pairs";

/**
 * Writes all rankings of the pairs to one table, whole or not at all, in the format of the extension (.parquet, .jsonl, .csv). Columns: id,
 * row, source where there is one and the other kept columns, method, behavior and layer where there are several of either, score (empty
 * where a pair has none), rank, percentile, norm and low_norm where vectors were scored, candidate where only the top of another ranking was
 * to be scored, unscored, why a pair has no score, where some have none, and winner for a bank. A kept column whose name is
 * taken gets the prefix `pair_`. Rows stand in the order of the rankings, then by rank. `pairsHash`, the content hash of the ranked pairs,
 * is noted in the metadata of a Parquet file, so that an edit of other pairs is noticed.
 */
export async function writeRankings(
  path: string,
  pairs: PairRows,
  rankings: readonly PairScores[],
  pairsHash?: string,
): Promise<void> {
  const notes = pairsHash === undefined ? {} : { [PAIRS_HASH_NOTE]: pairsHash };
  const rows = rankings.reduce((sum, { scores }) => sum + scores.length, 0);
  await writeTable(path, outputColumns(pairs, rankings), chunksOf(rankings), { notes, rows });
}

/** One row of the output, as its columns see it. */
interface OutputRow {
  readonly row: number;
  readonly rank: number;
  readonly scored: number;
  readonly ranking: PairScores;
}

type OutputColumn = TableColumn<OutputRow>;
type VaryingColumn = Extract<OutputColumn, { value: unknown }>;

function outputColumns(pairs: PairRows, rankings: readonly PairScores[]): readonly OutputColumn[] {
  const several = (key: "behavior" | "layer"): boolean =>
    new Set(rankings.map((ranking) => ranking[key])).size > 1;
  const some = (key: "vectors" | "winners" | "candidates"): boolean =>
    rankings.some((ranking) => ranking[key] !== undefined);
  const toColumn = (
    name: string,
    type: VaryingColumn["type"],
    value: VaryingColumn["value"],
  ): OutputColumn => ({ name, type, value });
  const [method, ...others] = new Set(rankings.map((ranking) => ranking.method.name));
  const columns: (OutputColumn | false)[] = [
    method !== undefined && others.length === 0
      ? { name: "method", type: "VARCHAR", constant: method }
      : toColumn("method", "VARCHAR", ({ ranking }) => ranking.method.name),
    several("behavior") &&
      toColumn("behavior", "VARCHAR", ({ ranking }) => ranking.behavior ?? null),
    several("layer") && toColumn("layer", "INTEGER", ({ ranking }) => ranking.layer ?? null),
    toColumn("score", "FLOAT", ({ ranking, row }) => {
      const score = ranking.scores[row]!;
      return Number.isNaN(score) ? null : score;
    }),
    toColumn("rank", "INTEGER", ({ rank }) => rank),
    toColumn("percentile", "DOUBLE", ({ rank, scored }) => percentile(rank, scored) ?? null),
    some("vectors") &&
      toColumn("norm", "FLOAT", ({ ranking, row }) => ranking.vectors?.norms[row] ?? null),
    some("vectors") &&
      toColumn("low_norm", "BOOLEAN", ({ ranking: { vectors }, row }) =>
        vectors === undefined ? null : vectors.lowNorm.isLow[row] === 1,
      ),
    some("candidates") &&
      toColumn("candidate", "BOOLEAN", ({ ranking: { candidates }, row }) =>
        candidates === undefined ? null : candidates.isCandidate[row] === 1,
      ),
    rankings.some(({ scores }) => scores.some(Number.isNaN)) &&
      toColumn("unscored", "VARCHAR", ({ ranking, row }) => causeOf(ranking, row) ?? null),
    some("winners") &&
      toColumn("winner", "VARCHAR", ({ ranking, row }) => winnerOf(ranking, row) ?? null),
  ];
  const scores = columns.filter((column) => column !== false);
  const taken = new Set(["id", "row", ...scores.map(({ name }) => name)]);
  const kept = Object.entries(pairs.columns).map(([name, values]) => {
    let free = name;
    // DuckDB does not tell upper from lower case.
    while (taken.has(free.toLowerCase())) free = `pair_${free}`;
    taken.add(free.toLowerCase());
    return keptColumn(free, values);
  });
  return [
    { name: "id", type: "VARCHAR", value: ({ row }) => pairs.ids[row]! },
    { name: "row", type: "INTEGER", value: ({ row }) => pairs.rows[row]! },
    ...kept,
    ...scores,
  ];
}

/** What of the behaviour decided the score of a row; undefined where nothing did. */
const winnerOf = ({ winners, winnerNames }: PairScores, row: number): string | undefined =>
  winnerNames?.[winners?.[row] ?? -1];

function keptColumn(name: string, values: readonly ColumnValue[]): OutputColumn {
  const present = values.filter((value) => value !== null);
  if (present.length > 0 && present.every((value) => typeof value === "number")) {
    return { name, type: "DOUBLE", value: ({ row }) => values[row]! };
  }
  if (present.length > 0 && present.every((value) => typeof value === "boolean")) {
    return { name, type: "BOOLEAN", value: ({ row }) => values[row]! };
  }
  const toText = (value: ColumnValue): string | null => (value === null ? null : String(value));
  return { name, type: "VARCHAR", value: ({ row }) => toText(values[row]!) };
}

/** The rows of all rankings, best pair first. */
function* chunksOf(rankings: readonly PairScores[]): Generator<readonly OutputRow[]> {
  for (const ranking of rankings) {
    const { order, scored } = rankScores(ranking.scores);
    for (let first = 0; first < order.length; first += CHUNK_ROWS) {
      yield Array.from(order.subarray(first, first + CHUNK_ROWS), (row, i) => {
        const rank = first + i + 1;
        return { row, rank, scored, ranking };
      });
    }
  }
}
