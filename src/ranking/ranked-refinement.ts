/** @file What a ranking says of vectors of which the likeliest alone were read exactly. */
import { z } from "zod";

import { auditSchema, type Refinement, refinementSchema, topSchema } from "../store/refinement.ts";
import { fixed, percent, withInterval } from "../util/figures.ts";

export const rankedRefinementSchema = z.strictObject({
  ...refinementSchema.pick({ precision: true, exactPairs: true, recall: true }).shape,
  audit: auditSchema
    .optional()
    .describe("The random sample at the ranking's layer; absent: there is none."),
  top: topSchema
    .optional()
    .describe(
      "The top that was refined; absent: this behaviour's, at this layer and by this scorer, was not.",
    ),
});
export type RankedRefinement = z.output<typeof rankedRefinementSchema>;

/** What of a refined store is about one ranking. `direction` is the hash of the behaviour's; without one no top is its own. */
export function rankedRefinement(
  { precision, exactPairs, recall, audit, tops, scorer }: Refinement,
  ranking: {
    readonly layer: number | undefined;
    readonly direction: string | undefined;
    readonly scorer: unknown;
  },
): RankedRefinement {
  const { layer, direction } = ranking;
  const isOwn = scorer === ranking.scorer;
  return {
    precision,
    exactPairs,
    recall,
    audit: audit.find((each) => each.layer === layer),
    top: tops.find((each) => isOwn && each.layer === layer && each.direction === direction),
  };
}

/** One sentence. */
export function describeRefinement({
  precision,
  exactPairs,
  audit,
  top,
}: RankedRefinement): string {
  const exact = `${exactPairs} vectors are exact, the others of ${precision}`;
  if (top === undefined) return `${exact}; the exact ones were not chosen for this ranking`;
  const { pairs, recall, recallLow, correlation } = top;
  const share = (value: number): string => `${(100 * value).toFixed(2)}%`;
  const ranks =
    correlation === undefined
      ? ""
      : `, rank correlation of first and exact scores ${withInterval(correlation.r, correlation, fixed(4))}`;
  const worst =
    audit === undefined
      ? ""
      : `, cosine with the exact vector ${fixed(4)(audit.worstCosine)} at worst in a sample of ${audit.pairs} (at most ${percent(audit.worseShare)} of all are worse)`;
  return `${exact}: of the exact top ${pairs} they hold ${share(recall)} (expected; no less than ${share(recallLow)} at 95%)${ranks}${worst}`;
}

/** Why the top is not to be relied on; undefined where it is. */
export function doubtOfRefinement({
  precision,
  recall,
  top,
}: RankedRefinement): string | undefined {
  if (top === undefined) {
    return `its vectors are of precision ${precision} but for pairs that were chosen for other rankings; culprit refine makes its own top exact`;
  }
  return top.recallLow < recall
    ? `only ${percent(top.recallLow)} of the exact top is sure to be among the exact vectors, where ${percent(recall)} was asked for`
    : undefined;
}
