import { averageRanks, correlateRanks, type Correlation } from "../stats/spearman.ts";

/** What a score may follow instead of the behaviour. */
export const CONFOUNDS = [
  "length difference",
  "total length",
  "vector norm",
  "chosen is longer",
] as const;
export type Confound = (typeof CONFOUNDS)[number];

/** Spearman's correlation of the scores with each confound; undefined where the confound is constant or there are too few pairs. */
export type ConfoundTable = { readonly [K in Confound]: Correlation | undefined };

/** What the confounds are computed from; N rows. */
export interface ConfoundData {
  /** Tokens of prompt, chosen and rejected, [N, 3]. */
  readonly tokens: Int32Array;
  /** ‖v_d‖, [N]. */
  readonly norms: Float32Array;
}

/** The average ranks of every confound over some rows, to be used for many rankings of the same pairs. */
export interface ConfoundRanks {
  readonly rows: Uint32Array;
  readonly ranks: { readonly [K in Confound]: Float64Array };
}

/** How much of a ranking the plainest properties of the pairs explain; `scores` (NaN for none) has a score for all rows ranked. */
export function confoundTable(scores: Float32Array, confounds: ConfoundRanks): ConfoundTable {
  const { rows, ranks } = confounds;
  const scoreRanks = averageRanks(Float64Array.from(rows, (row) => scores[row]!));
  const correlate = (name: Confound): Correlation | undefined =>
    correlateRanks(scoreRanks, ranks[name]);
  return {
    "length difference": correlate("length difference"),
    "total length": correlate("total length"),
    "vector norm": correlate("vector norm"),
    "chosen is longer": correlate("chosen is longer"),
  };
}

/** Ranks the confounds over the rows that have a score (not NaN); lengths are in tokens of the responses. */
export function rankConfounds(
  scores: Float32Array,
  { tokens, norms }: ConfoundData,
): ConfoundRanks {
  const rows = Uint32Array.from(scores.keys()).filter((row) => !Number.isNaN(scores[row]!));
  const rank = (property: (row: number) => number): Float64Array =>
    averageRanks(Float64Array.from(rows, property));
  const chosen = (row: number): number => tokens[row * 3 + 1]!;
  const rejected = (row: number): number => tokens[row * 3 + 2]!;
  return {
    rows,
    ranks: {
      "length difference": rank((row) => chosen(row) - rejected(row)),
      "total length": rank((row) => chosen(row) + rejected(row)),
      "vector norm": rank((row) => norms[row]!),
      "chosen is longer": rank((row) => (chosen(row) > rejected(row) ? 1 : 0)),
    },
  };
}
