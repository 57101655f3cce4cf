import { averageRanks, correlateRanks, type Correlation } from "./spearman.ts";

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

/** The pairs of a ranking; N rows. */
export interface ConfoundData {
  /** NaN for a pair without a score, which is left out, [N]. */
  readonly scores: Float32Array;
  /** Tokens of prompt, chosen and rejected, [N, 3]. */
  readonly tokens: Int32Array;
  /** ‖v_d‖, [N]. */
  readonly norms: Float32Array;
}

/** How much of a ranking the plainest properties of the pairs explain; lengths are in tokens of the responses. */
export function confoundTable({ scores, tokens, norms }: ConfoundData): ConfoundTable {
  const rows = Uint32Array.from(scores.keys()).filter((row) => !Number.isNaN(scores[row]!));
  const scoreRanks = averageRanks(Float64Array.from(rows, (row) => scores[row]!));
  const correlate = (property: (row: number) => number): Correlation | undefined =>
    correlateRanks(scoreRanks, averageRanks(Float64Array.from(rows, property)));
  const chosen = (row: number): number => tokens[row * 3 + 1]!;
  const rejected = (row: number): number => tokens[row * 3 + 2]!;
  return {
    "length difference": correlate((row) => chosen(row) - rejected(row)),
    "total length": correlate((row) => chosen(row) + rejected(row)),
    "vector norm": correlate((row) => norms[row]!),
    "chosen is longer": correlate((row) => (chosen(row) > rejected(row) ? 1 : 0)),
  };
}
