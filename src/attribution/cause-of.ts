import type { PairScores } from "./method.ts";

/** Of rows that were not to be scored. */
export const NO_CANDIDATE = "not a candidate";

/** Why a row has no score, a clause; undefined where it has one. */
export function causeOf(
  {
    scores,
    causes,
    candidates,
    vectors,
  }: Pick<PairScores, "scores" | "causes" | "candidates" | "vectors">,
  row: number,
): string | undefined {
  if (!Number.isNaN(scores[row])) return undefined;
  if (candidates !== undefined && candidates.isCandidate[row] !== 1) return NO_CANDIDATE;
  const isEmpty = vectors !== undefined && vectors.norms[row] === 0;
  return causes?.get(row) ?? (isEmpty ? "its vector has length zero" : "no cause known");
}
