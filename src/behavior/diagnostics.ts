/** @file Everything printed about one layer's behaviour vector: its length, its stability, its null. */
import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import type { Rng } from "../util/rng.ts";
import { norm } from "../util/vector.ts";
import {
  drawFolds,
  type Folds,
  FOLDS,
  type HeldOut,
  heldOutSchema,
  measureHeldOut,
  membersOutside,
} from "./held-out.ts";
import { allMembers, labelledDifference, labelPairs, type LabelledRows } from "./labelled-rows.ts";
import { pairWeights, type Weighting } from "./mean-difference.ts";
import { type Measured, measuredSchema, notComputed, tooFewPrompts } from "./measured.ts";
import { sumByPrompt, type Grouping } from "./prompt-groups.ts";
import { namedStream } from "./random-streams.ts";
import {
  drawMixedSigns,
  drawSigns,
  nullDirections,
  testNorm,
  type NormNull,
  normNullSchema,
} from "./sign-flips.ts";
import {
  bootstrapCosine,
  drawBootstraps,
  drawHalves,
  leaveOnePromptOut,
  splitHalfStability,
  cosineSummarySchema,
  leaveOneOutSchema,
  type SplitHalf,
  splitHalfSchema,
} from "./stability.ts";

/** What is known about the behaviour vector of one layer. */
export const layerDiagnosticsSchema = z.strictObject({
  layer: countSchema,
  /** Length of the vector. */
  norm: z.number(),
  /** Length of the vector over the mean length of the before-responses' activations. */
  relativeNorm: z.number(),
  splitHalf: measuredSchema(splitHalfSchema),
  bootstrap: measuredSchema(cosineSummarySchema),
  normNull: measuredSchema(normNullSchema),
  /** The length of the mean difference over the 95% quantile of its lengths under random signs; above 1 it stands out. */
  separation: measuredSchema(z.strictObject({ ratio: z.number() })),
  /** AUROC of the probe on held-out prompts. */
  heldOut: measuredSchema(heldOutSchema),
  leaveOneOut: measuredSchema(leaveOneOutSchema),
  /** Number of null directions kept. */
  nullDirections: measuredSchema(z.strictObject({ count: countSchema })),
  /** Share of the mean difference's squared length that was projected out; undefined where nothing was. */
  removedShare: z.number().optional(),
  /** Trained probes only: C of a logistic regression, and the cosine of the direction with the mean difference. */
  trained: z
    .strictObject({ strength: z.number().optional(), cosineWithMean: z.number() })
    .optional(),
  /** See judgeStability. */
  isStable: z.boolean(),
  /** Why not, one clause; undefined where it is stable. */
  doubt: z.string().optional(),
});
export type LayerDiagnostics = Plain<typeof layerDiagnosticsSchema>;

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
  /** [n, D]: the activations of the before-responses. */
  readonly before: Float32Array;
  /** [n] */
  readonly beforeNorms: Float32Array;
  readonly pairIds: readonly string[];
  readonly prompts: Grouping;
  readonly scenarios: Grouping;
  readonly weighting: Weighting;
  readonly removedShare?: number | undefined;
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
  const stream = (name: string): Rng => namedStream(draws.seed, name);
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
    separation:
      normNull.kind === "measured"
        ? { kind: "measured", ratio: length / normNull.high }
        : notComputed(normNull.reason),
    heldOut: holdOutMean(input, draws.seed),
    leaveOneOut: leaveOnePromptOut(differences, prompts, input.prompts),
    nullDirections:
      nulls.kind === "measured"
        ? { kind: "measured", count: nulls.directions.length / direction.length }
        : nulls,
    removedShare: input.removedShare,
    ...judgeStability(splitHalf, normNull),
  };
  return { diagnostics, nulls: nulls.kind === "measured" ? nulls.directions : undefined };
}

/** The mean difference of every training fold on the prompts that are not in it. */
function holdOutMean(input: LayerDifferences, seed: number): Measured<HeldOut> {
  const rows = labelPairs(input, input.prompts, pairWeights(input.scenarios, input.weighting));
  const folds = drawHeldOutFolds(rows, seed);
  const directions = Array.from({ length: folds.count }, (_, fold) =>
    labelledDifference(rows, membersOutside(folds, fold), rows.labels),
  );
  return measureHeldOut(rows, folds, directions, namedStream(seed, "auroc"));
}

/** The same folds for every probe and layer of a seed, so that they can be compared. */
export function drawHeldOutFolds(rows: LabelledRows, seed: number): Folds {
  return drawFolds(rows.prompts, allMembers(rows), {
    folds: FOLDS,
    rng: namedStream(seed, "folds"),
  });
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
  const doubt = stabilityDoubt(splitHalf, normNull);
  return doubt === undefined ? { isStable: true } : { isStable: false, doubt };
}

function stabilityDoubt(
  splitHalf: Measured<SplitHalf>,
  normNull: Measured<NormNull>,
): string | undefined {
  if (splitHalf.kind === "not-computed") return splitHalf.reason;
  if (normNull.kind === "not-computed") return normNull.reason;
  if (splitHalf.mean < MIN_SPLIT_HALF) {
    return `halves of the prompts agree with a mean cosine of ${splitHalf.mean.toFixed(2)}, below ${MIN_SPLIT_HALF}`;
  }
  if (normNull.smallestP >= MAX_NULL_P) {
    return `too few prompts or sign flips to tell: the smallest p that they allow is ${normNull.smallestP.toFixed(3)}, not below ${MAX_NULL_P}`;
  }
  return normNull.p >= MAX_NULL_P
    ? `random signs give a vector as long with p = ${normNull.p.toFixed(3)}`
    : undefined;
}
