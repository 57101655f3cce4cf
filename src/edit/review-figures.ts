/** @file What the decisions of a review say of a ranking, and of an edit made by it. */
import { z } from "zod";

import { shareSchema, wilsonShare } from "../stats/wilson.ts";
import { countSchema, type Plain } from "../util/artifact.ts";
import { createRng } from "../util/rng.ts";
import type { Decision, DecisionKind } from "./decisions.ts";

/** Tops whose precision is told. */
const TOPS = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const;
/** The largest of them. */
export const MOST_RANKED = TOPS.at(-1)!;
/** Fewer pairs of a random sample say nothing. */
const LEAST_SAMPLE = 10;

export const reviewedPrecisionSchema = z.strictObject({
  k: countSchema,
  /** `all`: every pair of the top was reviewed. `sample`: the first ones of its random order, and no others. */
  basis: z.enum(["all", "sample"]),
  /** Pairs of the top that it rests on; of these the unsure ones are in no share. */
  reviewed: countSchema,
  unsure: countSchema,
  /** Pairs to drop or swap, of those to keep, drop or swap, with Wilson's interval at 95%. */
  precision: shareSchema,
});
export type ReviewedPrecision = Plain<typeof reviewedPrecisionSchema>;

type Decisions = ReadonlyMap<string, Pick<Decision, "decision">>;

/**
 * How many pairs of the top k deserve it, by the decisions of a review, for each k whose top was reviewed whole or by a random sample: the
 * pairs reviewed first of a ranking say nothing of those below them. Where other pairs of the top were decided beside the beginning of its
 * random order, that beginning was not where the review ended by itself, and is no random sample. `order`: ids, best first. With 10 pairs reviewed, 6 to drop, 1
 * to swap, 2 to keep and 1 unsure, the precision at 10 is 7 of 9, 0.78 [0.45, 0.94] (Wilson 1927).
 */
export function reviewedPrecision(
  order: readonly string[],
  decisions: Decisions,
): readonly ReviewedPrecision[] {
  const isDecided = (id: string): boolean => (decisions.get(id)?.decision ?? null) !== null;
  let whole = 0;
  while (whole < order.length && isDecided(order[whole]!)) whole++;
  return TOPS.filter((k) => k <= order.length).flatMap((k): ReviewedPrecision[] => {
    const isWhole = whole >= k;
    const sampled = isWhole ? [] : randomOrder(order.slice(0, k));
    const end = sampled.findIndex((id) => !isDecided(id));
    const ids = isWhole ? order.slice(0, k) : sampled.slice(0, end);
    const isSample = ids.length >= LEAST_SAMPLE && !sampled.slice(end).some(isDecided);
    if (!isWhole && !isSample) return [];
    const count = countDecisions(ids, decisions);
    const at = count.drop + count.swap;
    return [
      {
        k,
        basis: isWhole ? "all" : "sample",
        reviewed: ids.length,
        unsure: count.unsure,
        precision: wilsonShare(at, at + count.keep),
      },
    ];
  });
}

/** The pairs of a top in a random order that is the same every time: its first n are a random sample of it. */
export function randomOrder(top: readonly string[]): readonly string[] {
  const rng = createRng(top.length);
  const left = top.slice();
  return top.map(() => {
    const at = rng.integer(left.length);
    const [id] = left.splice(at, 1, left.at(-1)!);
    left.pop();
    return id!;
  });
}

export const decisionCountsSchema = z.strictObject({
  keep: countSchema,
  drop: countSchema,
  swap: countSchema,
  unsure: countSchema,
});
export type DecisionCounts = Plain<typeof decisionCountsSchema>;

/** How many of these pairs were decided which way. */
export function countDecisions(ids: Iterable<string>, decisions: Decisions): DecisionCounts {
  const counts: Record<DecisionKind, number> = { keep: 0, drop: 0, swap: 0, unsure: 0 };
  for (const id of ids) {
    const decision = decisions.get(id)?.decision ?? undefined;
    if (decision !== undefined) counts[decision]++;
  }
  return counts;
}

export const editAgreementSchema = z.strictObject({
  /** Decisions on pairs that the edit takes, and on others. */
  taken: decisionCountsSchema,
  left: decisionCountsSchema,
  /** Pairs on which both agree, of those to keep, drop or swap: the edit takes what is to be dropped or swapped, and leaves what is to be kept. */
  agreement: shareSchema,
});
export type EditAgreement = Plain<typeof editAgreementSchema>;

/** A review beside an edit: 8 taken pairs to drop, 2 to keep, and 1 pair to drop that was left, agree in 8 of 11. */
export function agreementWithEdit(ids: readonly string[], decisions: Decisions): EditAgreement {
  const isTaken = new Set(ids);
  const taken = countDecisions(ids, decisions);
  const left = countDecisions(
    [...decisions.keys()].filter((id) => !isTaken.has(id)),
    decisions,
  );
  const agreed = taken.drop + taken.swap + left.keep;
  return {
    taken,
    left,
    agreement: wilsonShare(agreed, agreed + taken.keep + left.drop + left.swap),
  };
}
