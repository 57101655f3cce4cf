/** @file Everything printed about one layer's behaviour vector: its length, its stability, its null. */
import { hashText } from "../util/hash.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import { pairWeights, type Weighting } from "./mean-difference.ts";
import { notComputed, tooFewPrompts, type Measured } from "./measured.ts";
import { sumByPrompt, type Grouping } from "./prompt-groups.ts";
import {
  drawMixedSigns,
  drawSigns,
  nullDirections,
  testNorm,
  type NormNull,
} from "./sign-flips.ts";
import {
  bootstrapCosine,
  drawBootstraps,
  drawHalves,
  leaveOnePromptOut,
  splitHalfStability,
  type CosineSummary,
  type LeaveOneOut,
  type SplitHalf,
} from "./stability.ts";

/** What is known about the behaviour vector of one layer. */
export interface LayerDiagnostics {
  readonly layer: number;
  /** Length of the vector. */
  readonly norm: number;
  /** Length of the vector over the mean length of the before-responses' activations. */
  readonly relativeNorm: number;
  readonly splitHalf: Measured<SplitHalf>;
  readonly bootstrap: Measured<CosineSummary>;
  readonly normNull: Measured<NormNull>;
  readonly leaveOneOut: Measured<LeaveOneOut>;
  /** Number of null directions kept. */
  readonly nullDirections: Measured<{ readonly count: number }>;
  /** See judgeStability. */
  readonly isStable: boolean;
  /** Why not, one clause; undefined where it is stable. */
  readonly doubt?: string;
}

/** How many random draws each statistic takes. */
export interface DiagnosticDraws {
  readonly seed: number;
  /** Random halves, and as many bootstrap replicates. */
  readonly splits: number;
  /** Sign flips for the length's null. */
  readonly flips: number;
  /** Null directions to keep. */
  readonly nullDirections: number;
}

/** One layer's differences [n, D] and how they are grouped and weighted. */
export interface LayerDifferences {
  readonly layer: number;
  readonly differences: Float32Array;
  /** [n] */
  readonly beforeNorms: Float32Array;
  readonly pairIds: readonly string[];
  readonly prompts: Grouping;
  readonly scenarios: Grouping;
  readonly weighting: Weighting;
}

/** Diagnoses `direction`, the layer's mean difference under the input's weighting; also gives the null directions [N, D]. */
export function diagnoseLayer(
  input: LayerDifferences,
  direction: Float32Array,
  draws: DiagnosticDraws,
): { readonly diagnostics: LayerDiagnostics; readonly nulls: Float32Array | undefined } {
  const { differences, beforeNorms } = input;
  const prompts = sumByPrompt(
    differences,
    pairWeights(input.scenarios, input.weighting),
    input.prompts,
  );
  const { count } = prompts;
  // A stream for each statistic, so that asking for more splits does not change the flips.
  const stream = (name: string): Rng =>
    createRng(Number.parseInt(hashText(`${draws.seed} ${name}`).slice(0, 8), 16));
  const splitHalf = splitHalfStability(prompts, drawHalves(count, draws.splits, stream("halves")));
  const normNull = testNorm(prompts, drawSigns(count, draws.flips, stream("signs")));
  const tooFew = tooFewPrompts(count);
  const nulls =
    tooFew === undefined
      ? nullDirections(prompts, drawMixedSigns(count, draws.nullDirections, stream("null")))
      : notComputed(tooFew);
  const length = norm(direction);
  const diagnostics: LayerDiagnostics = {
    layer: input.layer,
    norm: length,
    relativeNorm: (length * beforeNorms.length) / beforeNorms.reduce((sum, each) => sum + each, 0),
    splitHalf,
    bootstrap: bootstrapCosine(prompts, drawBootstraps(count, draws.splits, stream("bootstrap"))),
    normNull,
    leaveOneOut: leaveOnePromptOut(differences, prompts, input.prompts),
    nullDirections:
      nulls.kind === "measured"
        ? { kind: "measured", count: nulls.directions.length / direction.length }
        : nulls,
    ...judgeStability(splitHalf, normNull),
  };
  return { diagnostics, nulls: nulls.kind === "measured" ? nulls.directions : undefined };
}

/** The mean split-half cosine below which a vector is not called stable: one of twice the prompts has then reliability 2/3. */
export const MIN_SPLIT_HALF = 0.5;
/** The sign-flip p-value from which on a vector is not called stable. */
export const MAX_NULL_P = 0.05;

/**
 * A vector is stable where both could be computed and hold: the mean split-half cosine is at least 0.5 (half of the squared
 * length of a half's vector is shared with the other half, the rest is noise), and the sign-flip p-value of its length is
 * below 0.05.
 */
export function judgeStability(
  splitHalf: Measured<SplitHalf>,
  normNull: Measured<NormNull>,
): Pick<LayerDiagnostics, "isStable" | "doubt"> {
  if (splitHalf.kind === "not-computed") return { isStable: false, doubt: splitHalf.reason };
  if (normNull.kind === "not-computed") return { isStable: false, doubt: normNull.reason };
  if (splitHalf.mean < MIN_SPLIT_HALF) {
    const found = splitHalf.mean.toFixed(2);
    return {
      isStable: false,
      doubt: `halves of the prompts agree with a mean cosine of ${found}, below ${MIN_SPLIT_HALF}`,
    };
  }
  if (normNull.smallestP >= MAX_NULL_P) {
    const least = normNull.smallestP.toFixed(3);
    return {
      isStable: false,
      doubt: `too few prompts or sign flips to tell: the smallest p that they allow is ${least}, not below ${MAX_NULL_P}`,
    };
  }
  if (normNull.p >= MAX_NULL_P) {
    const found = normNull.p.toFixed(3);
    return { isStable: false, doubt: `random signs give a vector as long with p = ${found}` };
  }
  return { isStable: true };
}
