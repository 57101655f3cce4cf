/**
 * @file How far a behaviour vector depends on the prompts it was made from.
 *
 * The unit is always the prompt: all response pairs of one prompt go to the same half, are drawn together and are left out
 * together. Splitting by rollout would let what is particular to one prompt pass for agreement.
 */
import { z } from "zod";

import { drawTimes } from "../stats/cluster-bootstrap.ts";
import { quantile } from "../stats/quantile.ts";
import { countSchema, type Plain } from "../util/artifact.ts";
import type { Rng } from "../util/rng.ts";
import { cosine, dot, norm } from "../util/vector.ts";
import { notComputed, tooFewPrompts, type Measured } from "./measured.ts";
import { mapCombined, sumPrompts, type Grouping, type PromptSums } from "./prompt-groups.ts";

/** Mean and 2.5% and 97.5% quantiles of a cosine over random draws. */
export const cosineSummarySchema = z.strictObject({
  mean: z.number(),
  low: z.number(),
  high: z.number(),
  /** Number of draws summarised. */
  draws: countSchema,
});
export type CosineSummary = Plain<typeof cosineSummarySchema>;

/**
 * The cosine between the mean differences of two random halves of the prompts. The interval is the spread over splits,
 * not a confidence interval.
 */
export const splitHalfSchema = z.strictObject({
  ...cosineSummarySchema.shape,
  /**
   * The cosine to expect between this vector and one made from as many new prompts, by the Spearman-Brown formula
   * 2r / (1 + r) of the mean split-half cosine r (Spearman 1910; Brown 1910); undefined where r is not positive.
   */
  reliability: z.number().optional(),
});
export type SplitHalf = Plain<typeof splitHalfSchema>;

/** Random halves of `count` prompts: 1 for the first half (the smaller of an odd count), 0 for the second. */
export function drawHalves(count: number, draws: number, rng: Rng): Uint8Array[] {
  const order = Array.from({ length: count }, (_, g) => g);
  return Array.from({ length: draws }, () => {
    const half = new Uint8Array(count);
    for (const g of rng.shuffle(order).slice(0, Math.floor(count / 2))) half[g] = 1;
    return half;
  });
}

/** Split-half stability over the given halves. */
export function splitHalfStability(
  prompts: PromptSums,
  halves: readonly Uint8Array[],
): Measured<SplitHalf> {
  const tooFew = tooFewPrompts(prompts.count);
  if (tooFew !== undefined) return notComputed(tooFew);
  const total = sumPrompts(prompts);
  const cosines = mapCombined(prompts, halves, (first) =>
    cosine(
      first,
      total.map((sum, j) => sum - first[j]!),
    ),
  );
  const summary = summariseCosines(cosines, "half of the prompts");
  if (summary.kind === "not-computed") return summary;
  // A half is v + e with E|e|^2 = t; the whole is v + e' with E|e'|^2 = t/2. In many dimensions lengths concentrate, so
  // r = |v|^2 / (|v|^2 + t), and two wholes have cosine |v|^2 / (|v|^2 + t/2) = 2r / (1 + r).
  const r = summary.mean;
  return r > 0 ? { ...summary, reliability: (2 * r) / (1 + r) } : summary;
}

/** How often each of `count` prompts is drawn when `count` are drawn with replacement. */
export function drawBootstraps(count: number, draws: number, rng: Rng): Uint32Array[] {
  return Array.from({ length: draws }, () => drawTimes(count, rng));
}

/**
 * The cosine between the vector and its cluster-bootstrap replicates (prompts resampled): the plug-in estimate of the
 * cosine between this vector and the one of endlessly many prompts, with a 95% percentile interval. Where the vector is
 * mostly noise the plug-in is optimistic, since the noise stands in for the truth: about 0.71 for pure noise. Read it
 * beside the split-half cosine, which goes to 0 then.
 */
export function bootstrapCosine(
  prompts: PromptSums,
  times: readonly ArrayLike<number>[],
): Measured<CosineSummary> {
  const tooFew = tooFewPrompts(prompts.count);
  if (tooFew !== undefined) return notComputed(tooFew);
  const total = sumPrompts(prompts);
  return summariseCosines(
    mapCombined(prompts, times, (replicate) => cosine(replicate, total)),
    "bootstrap replicate",
  );
}

/** How single response pairs agree with the vector of all other prompts. */
export const leaveOneOutSchema = z.strictObject({
  /** Mean over response pairs of the cosine between its difference and the mean difference without its prompt. */
  mean: z.number(),
  /** Share of those cosines above 0. */
  sharePositive: z.number(),
  /** Rollout pairs that count; one whose difference is exactly zero has no direction and is left out. */
  pairs: countSchema,
});
export type LeaveOneOut = Plain<typeof leaveOneOutSchema>;

/** `differences` [n, D]; `prompts` must be the sums of the same rows under `grouping`. */
export function leaveOnePromptOut(
  differences: Float32Array,
  prompts: PromptSums,
  grouping: Grouping,
): Measured<LeaveOneOut> {
  const tooFew = tooFewPrompts(prompts.count);
  if (tooFew !== undefined) return notComputed(tooFew);
  const { dim } = prompts;
  const total = sumPrompts(prompts);
  const cosines = new Float64Array(grouping.of.length);
  let pairs = 0;
  for (const [g, members] of membersOf(grouping).entries()) {
    const others = total.map((sum, j) => sum - prompts.sums[g * dim + j]!);
    const length = norm(others);
    if (length === 0) return notComputed("the mean difference without one prompt is zero");
    for (const i of members) {
      const row = differences.subarray(i * dim, (i + 1) * dim);
      const rowLength = norm(row);
      if (rowLength > 0) cosines[pairs++] = dot(row, others) / (length * rowLength);
    }
  }
  if (pairs === 0) return notComputed("every difference is zero");
  const counted = cosines.subarray(0, pairs);
  return {
    kind: "measured",
    mean: average(counted),
    sharePositive: counted.filter((each) => each > 0).length / pairs,
    pairs,
  };
}

function membersOf(grouping: Grouping): number[][] {
  const members: number[][] = grouping.labels.map(() => []);
  grouping.of.forEach((label, i) => members[label]!.push(i));
  return members;
}

/** Mean and quantiles; not computed where a cosine is undefined because a side of it has no length. */
export function summariseCosines(
  cosines: readonly (number | undefined)[],
  what: string,
): Measured<CosineSummary> {
  const known = cosines.filter((each) => each !== undefined);
  if (known.length === 0) return notComputed("no draws were asked for");
  if (known.length < cosines.length) {
    return notComputed(`the mean difference of some ${what} is zero, which has no direction`);
  }
  return {
    kind: "measured",
    mean: average(known),
    low: quantile(known, 0.025),
    high: quantile(known, 0.975),
    draws: known.length,
  };
}

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
