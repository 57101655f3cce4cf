import { z } from "zod";

import { averageRanks, correlateRanks, correlationSchema } from "../stats/spearman.ts";

/** What a score may follow instead of the behaviour. */
export const CONFOUNDS = [
  "length difference",
  "total length",
  "vector norm",
  "chosen is longer",
] as const;
export type Confound = (typeof CONFOUNDS)[number];

export const confoundTableSchema = z.partialRecord(z.enum(CONFOUNDS), correlationSchema.optional());

/** Spearman's correlation of the scores with each confound; undefined where it is constant or not known, or there are too few pairs. */
export type ConfoundTable = z.output<typeof confoundTableSchema>;

/** What the confounds are computed from; N rows. */
export interface ConfoundData {
  /** Of prompt, chosen and rejected, [N, 3], in any one unit. */
  readonly lengths: Int32Array;
  /** ‖v_d‖, [N]; undefined where pairs have no vector. */
  readonly norms?: Float32Array | undefined;
}

/** The average ranks of every confound over some rows, to be used for many rankings of the same pairs. */
export interface ConfoundRanks {
  readonly rows: Uint32Array;
  readonly ranks: { readonly [K in Confound]: Float64Array | undefined };
}

/** How much of a ranking the plainest properties of the pairs explain; `scores` (NaN for none) has a score for all rows ranked. */
export function confoundTable(scores: Float32Array, confounds: ConfoundRanks): ConfoundTable {
  const { rows, ranks } = confounds;
  const scoreRanks = averageRanks(valuesOf(rows, (row) => scores[row]!));
  return Object.fromEntries(
    CONFOUNDS.map((name) => [name, ranks[name] && correlateRanks(scoreRanks, ranks[name])]),
  );
}

/** Ranks the confounds over the rows that have a score (not NaN); lengths are those of the responses. */
export function rankConfounds(
  scores: Float32Array,
  { lengths, norms }: ConfoundData,
): ConfoundRanks {
  const rows = rowsWithScore(scores);
  const rank = (property: (row: number) => number): Float64Array =>
    averageRanks(valuesOf(rows, property));
  const chosen = (row: number): number => lengths[row * 3 + 1]!;
  const rejected = (row: number): number => lengths[row * 3 + 2]!;
  return {
    rows,
    ranks: {
      "length difference": rank((row) => chosen(row) - rejected(row)),
      "total length": rank((row) => chosen(row) + rejected(row)),
      "vector norm": norms && rank((row) => norms[row]!),
      "chosen is longer": rank((row) => (chosen(row) > rejected(row) ? 1 : 0)),
    },
  };
}

function rowsWithScore(scores: Float32Array): Uint32Array {
  const rows = new Uint32Array(scores.length);
  let count = 0;
  for (let row = 0; row < scores.length; row++) {
    if (!Number.isNaN(scores[row]!)) rows[count++] = row;
  }
  return rows.slice(0, count);
}

/** A property of some rows, in their order. */
function valuesOf(rows: Uint32Array, property: (row: number) => number): Float64Array {
  const values = new Float64Array(rows.length);
  // Float64Array.from with a function takes several times as long.
  for (let i = 0; i < values.length; i++) values[i] = property(rows[i]!);
  return values;
}
