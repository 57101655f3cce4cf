import type { Ranking } from "../ranking/ranking-file.ts";
import { ConfigError } from "../util/errors.ts";
import type { PairTable } from "./survey-pairs.ts";

/** A ranking in the row numbers of a pair table. */
export interface JoinedRanking {
  /** Pairs with a score, best first; equal scores by row. */
  readonly order: Uint32Array;
  /** The score of each of them, not rising. */
  readonly scores: Float64Array;
  /**
   * What controls are drawn from, in rising order: the pairs with a score, and those that were not to be scored. Candidates are chosen by
   * what they are like, so that a control among them would be none.
   */
  readonly pool: Uint32Array;
  readonly warnings: readonly string[];
}

/** Below this share of ranked pairs the ranking is taken for one of other data. */
const MIN_RANKED_SHARE = 0.5;

/**
 * Finds the ranked pairs in the table by id. Throws ConfigError for a ranked id that the data does not have, and where most
 * pairs are not ranked; a few unranked ones (too long to embed) and another content hash (an edited copy) are warnings. `fate` is what
 * becomes of pairs without a score, for the warnings.
 */
export function joinRanking(
  table: PairTable,
  ranking: Ranking,
  fate = "they are kept as they are",
): JoinedRanking {
  const rowOf = indexIds(table.ids);
  const rows = Array.from(ranking.ids, (id) => rowOf(id));
  const name = ranking.file?.path ?? "ranking";
  const missing = rows.filter((row) => row === undefined).length;
  if (missing > 0) {
    const first = ranking.ids[rows.indexOf(undefined)]!;
    throw new ConfigError(
      `${name}: expected ids of the pairs, got ${missing} of ${rows.length} that the data does not have, the first ${JSON.stringify(first.slice(0, 80))}`,
      {
        hint: "The ranking was made of other data, or the data was changed since: embed and rank it.",
      },
    );
  }
  const { others = [], scored: ranked } = ranking;
  const unranked = table.ids.length - ranked;
  if (ranked + others.length < MIN_RANKED_SHARE * table.ids.length) {
    throw new ConfigError(
      `${name}: expected a ranking of these pairs, got scores for ${ranked} of ${table.ids.length}`,
      { hint: "Name only the files that were ranked, or embed and rank all of them." },
    );
  }
  // Those without a score come last in a ranking.
  const order = Uint32Array.from(rows.slice(0, ranked), (row) => row!);
  const scores = ranking.scores.subarray(0, ranked);
  sortTies(order, scores);
  const warnings: string[] = [];
  if (others.length > 0) {
    warnings.push(
      `${name}: ${others.length} of ${table.ids.length} pairs were no candidates and have no score; ${fate}, and controls are drawn from them too`,
    );
  }
  if (unranked > others.length) {
    warnings.push(
      `${unranked - others.length} of ${table.ids.length} pairs have no score in ${name}; ${fate}`,
    );
  }
  if (isOtherData(table, ranking)) {
    warnings.push(
      `${name}: made of other files than these, though every id is here; right for an edited copy only`,
    );
  }
  const pool = Uint32Array.from([...order, ...others.map((id) => rowOf(id)!)]).toSorted(); // all are ids of the ranking
  return { order, scores, pool, warnings };
}

function isOtherData({ contentHash }: PairTable, { file }: Ranking): boolean {
  const ranked = file?.pairsHash;
  return ranked !== undefined && contentHash !== undefined && ranked !== contentHash;
}

/** Row by id; an id with lone surrogates is also found by what UTF-8 makes of it, as no table of rankings can hold it. */
function indexIds(ids: readonly string[]): (id: string) => number | undefined {
  const rows = new Map(ids.map((id, row) => [id, row]));
  const written = new Map<string, number | undefined>();
  for (const [row, id] of ids.entries()) {
    const text = Buffer.from(id, "utf8").toString("utf8");
    // Two ids that are written alike cannot be told apart: neither is found.
    if (text !== id) written.set(text, written.has(text) ? undefined : row);
  }
  return (id) => rows.get(id) ?? written.get(id);
}

/** Pairs of one score in the order of their rows. */
function sortTies(order: Uint32Array, scores: Float64Array): void {
  for (let first = 0; first < order.length;) {
    let end = first + 1;
    while (end < order.length && scores[end] === scores[first]) end++;
    if (end - first > 1) order.subarray(first, end).sort();
    first = end;
  }
}
