/**
 * @file What a behaviour vector would be if before and after meant nothing: the signs of the differences flipped at random.
 *
 * Signs are flipped per prompt, not per response pair: under the null the two sides of a prompt may be exchanged, but its
 * response pairs still share what is particular to the prompt. Flipping each response pair by itself would average that away,
 * make the null too short and every p-value too small.
 */
import { z } from "zod";

import { quantile } from "../stats/quantile.ts";
import { countSchema, type Plain } from "../util/artifact.ts";
import type { Rng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import { notComputed, tooFewPrompts, type Measured } from "./measured.ts";
import { mapCombined, sumPrompts, type PromptSums } from "./prompt-groups.ts";

/** The length of the mean difference against its lengths under random signs. */
export const normNullSchema = z.strictObject({
  /**
   * (1 + flips at least as long) / (1 + flips): how often a vector would be this long were there no direction. Never 0,
   * since the observed signs are one of the patterns (Phipson and Smyth 2010).
   */
  p: z.number(),
  /** About the smallest p that so many prompts and flips can give; the length has 2^(prompts - 1) sign patterns. */
  smallestP: z.number(),
  /** Median of the length under random signs. */
  median: z.number(),
  /** 95% quantile of the length under random signs. */
  high: z.number(),
  flips: countSchema,
});
export type NormNull = Plain<typeof normNullSchema>;

/** Fair random signs for `count` prompts. All signs equal may come up: without that the p-value would be too small. */
export function drawSigns(count: number, draws: number, rng: Rng): Int8Array[] {
  return Array.from({ length: draws }, () => {
    const signs = new Int8Array(count);
    for (let g = 0; g < count; g++) signs[g] = rng.sign();
    return signs;
  });
}

/** As drawSigns, without the patterns whose signs are all equal (they are the vector itself); at least 2 prompts. */
export function drawMixedSigns(count: number, draws: number, rng: Rng): Int8Array[] {
  if (count < 2) throw new Error(`internal: mixed signs of ${count} prompts`);
  const patterns: Int8Array[] = [];
  while (patterns.length < draws) {
    const [signs] = drawSigns(count, 1, rng);
    if (signs!.some((sign) => sign !== signs![0])) patterns.push(signs!);
  }
  return patterns;
}

/** Tests the length of the mean difference against the given sign patterns. */
export function testNorm(prompts: PromptSums, signs: readonly Int8Array[]): Measured<NormNull> {
  const tooFew = tooFewPrompts(prompts.count);
  if (tooFew !== undefined) return notComputed(tooFew);
  if (signs.length === 0) return notComputed("no sign flips were asked for");
  const weight = sumWeights(prompts);
  const observed = norm(sumPrompts(prompts)) / weight;
  const lengths = mapCombined(prompts, signs, (flipped) => norm(flipped) / weight);
  // Patterns that only exchange equal prompts tie with the observed one but for rounding; a tie counts.
  const atLeast = lengths.filter((length) => length >= observed * (1 - 1e-12)).length;
  const smallestP = Math.max(1 / (1 + signs.length), 2 ** (1 - prompts.count));
  return {
    kind: "measured",
    // Few prompts have few patterns: a draw that misses the observed one must not claim more than they allow.
    p: Math.max((1 + atLeast) / (1 + signs.length), smallestP),
    smallestP,
    median: quantile(lengths, 0.5),
    high: quantile(lengths, 0.95),
    flips: signs.length,
  };
}

/** Below this share of the vector's length a null direction is rounding, not a direction. */
const ROUNDING_SHARE = 1e-6;

/**
 * Null directions for scoring, [N, D] in the units of the mean difference (not normalised), one for each sign pattern.
 *
 * The mean is taken out of every prompt before its sign is flipped: (1/W) sum_g s_g (G_g - W_g v). What remains are the
 * errors that this vector could have had. Without that step a behaviour that every prompt shares would leak into its own null
 * (each flip would be nearly +v or -v) and the clearer it is the less it would seem to matter. For signs that balance
 * (sum_g s_g W_g = 0) both are the same.
 */
export function nullDirections(
  prompts: PromptSums,
  signs: readonly Int8Array[],
): Measured<{ readonly directions: Float32Array }> {
  const tooFew = tooFewPrompts(prompts.count);
  if (tooFew !== undefined) return notComputed(tooFew);
  if (signs.length === 0) return notComputed("no null directions were asked for");
  const { dim } = prompts;
  const weight = sumWeights(prompts);
  const mean = sumPrompts(prompts).map((sum) => sum / weight);
  const meanLength = norm(mean);
  const directions = new Float32Array(signs.length * dim);
  const lengths = mapCombined(prompts, signs, (flipped, n) => {
    const surplus = signs[n]!.reduce((sum, sign, g) => sum + sign * prompts.weights[g]!, 0);
    const direction = flipped.map((sum, j) => (sum - surplus * mean[j]!) / weight);
    directions.set(direction, n * dim);
    return norm(direction);
  });
  if (lengths.some((length) => length <= ROUNDING_SHARE * meanLength)) {
    return notComputed("the prompts do not differ enough from each other to draw a null direction");
  }
  return { kind: "measured", directions };
}

function sumWeights(prompts: PromptSums): number {
  return prompts.weights.reduce((sum, weight) => sum + weight, 0);
}
