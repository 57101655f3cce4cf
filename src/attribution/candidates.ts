/** @file Scores of some rows alone: those that another, cheaper method has at its top. */
import type { ColumnValue } from "../pairs/preference-pair.ts";
import { ConfigError } from "../util/errors.ts";
import type { Candidates, Scored } from "./method.ts";
import type { PairRows } from "./pair-rows.ts";

/** Another ranking of the same rows. */
export interface CandidateRanking {
  /** Best first; those without a score last. */
  readonly ids: readonly string[];
  /** How many have a score. */
  readonly scored: number;
  /** Its method, as far as it is known. */
  readonly method?: string | undefined;
  /** Its file, for messages. */
  readonly path: string;
}

/** The `top` rows of a ranking. Throws ConfigError where it has fewer with a score, or pairs that are no rows. */
export function findCandidates(
  { ids: rowIds }: PairRows,
  { ids, scored, method, path }: CandidateRanking,
  top: number,
): Candidates {
  if (top > scored) {
    throw new ConfigError(
      `top: expected at most ${scored}, the pairs that have a score in ${path}, got ${top}`,
    );
  }
  const rowOf = new Map(rowIds.map((id, row) => [id, row]));
  const isCandidate = new Uint8Array(rowIds.length);
  for (const id of ids.slice(0, top)) {
    const row = rowOf.get(id);
    if (row === undefined) {
      throw new ConfigError(
        `${path}: expected a ranking of the pairs that are scored, got ${JSON.stringify(id.slice(0, 80))}, which is none of them`,
        { hint: "Take the ranking and the pairs of one data set." },
      );
    }
    isCandidate[row] = 1;
  }
  return { method, top, isCandidate };
}

/** The candidates alone, and which rows they are. */
export function candidateRows(
  { ids, rows, lengths, columns }: PairRows,
  { isCandidate }: Candidates,
): { readonly rows: PairRows; readonly places: readonly number[] } {
  const places = [...isCandidate.keys()].filter((row) => isCandidate[row] === 1);
  const pick = <T>(values: ArrayLike<T>): T[] => places.map((row) => values[row]!);
  return {
    places,
    rows: {
      ids: pick(ids),
      rows: Int32Array.from(pick(rows)),
      lengths: Int32Array.from(
        places.flatMap((row) => [...lengths.subarray(3 * row, 3 * row + 3)]),
      ),
      columns: Object.fromEntries(
        Object.entries(columns).map(([name, values]) => [name, pick<ColumnValue>(values)]),
      ),
    },
  };
}

/** What was scored of the candidates alone as scores of all `count` rows. */
export function spreadScores(scored: Scored, places: readonly number[], count: number): Scored {
  const scores = new Float32Array(count).fill(Number.NaN);
  for (const [i, row] of places.entries()) scores[row] = scored.scores[i]!; // one for each
  const causes = new Map([...(scored.causes ?? [])].map(([i, cause]) => [places[i]!, cause]));
  return { ...scored, scores, causes };
}

/**
 * Scores of all rows without those of rows that are no candidates, for methods that score a whole store in one pass. Nulls go: they are
 * of all rows, and candidates are chosen by what they are like.
 */
export function blankOthers(scored: Scored, { isCandidate }: Candidates): Scored {
  const scores = scored.scores.map((score, row) => (isCandidate[row] === 1 ? score : Number.NaN));
  return {
    ...scored,
    scores,
    winners: scored.winners?.map((winner, row) => (isCandidate[row] === 1 ? winner : -1)),
    null: undefined,
    unrelated: undefined,
  };
}
