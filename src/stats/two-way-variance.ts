/** @file The error of a mean over S seeds × P prompts (or other items) that both were drawn from many. */
import { fallingRoot, type Sample } from "./root.ts";
import { twoSidedQuantile, twoSidedTail } from "./student-t.ts";

/** What a confidence interval is made of: the two sources of error, each with the degrees of freedom it is known by. */
export interface MarginParts {
  readonly ofPrompts: number;
  readonly promptsDf: number;
  /** What seeds add, less only part of the noise of cells; see twoWayVariance. */
  readonly ofSeeds: number;
  readonly seedsDf: number;
}

/** Variance of the mean of [S, P] errors by what it comes from. */
export interface TwoWayVariance {
  /** Of the mean over all cells: prompts, and what seeds add to them. */
  readonly variance: number;
  readonly ofPrompts: number;
  /** What seeds add: the variance over seeds less the noise of cells, which prompts have counted already; at least 0. */
  readonly ofSeeds: number;
  readonly margin: MarginParts;
  /** Mean error of each prompt, [P]. */
  readonly byPrompt: Float64Array;
}

/** How much of what seeds add is known as well as prompts where both vary: two errors are seldom both at their worst (Banerjee's width is too large). */
const KNOWN_WITH_PROMPTS = 0.4;
/** How much of the noise of cells is taken off the variance over prompts where the seeds' means agree perfectly. */
const AGREEING_TAKEN_OFF = 0.5;

/**
 * Prompts and seeds are crossed: prompt effects, seed effects and cell noise, as in an analysis of variance without replication. With
 * one seed (or one prompt) the other direction alone is seen. `errors` [S, P] row by row have mean 0. `promptsDf` replaces the P - 1
 * degrees of freedom of the prompts.
 */
export function twoWayVariance(
  errors: Float64Array,
  seeds: number,
  promptsDf?: (byPrompt: Float64Array) => number,
): TwoWayVariance {
  const prompts = errors.length / seeds;
  const byPrompt = means(prompts, seeds, (p, s) => errors[s * prompts + p]!);
  const bySeed = means(seeds, prompts, (s, p) => errors[s * prompts + p]!);
  const ofPrompts = varianceOfMean(byPrompt);
  const allSeeds = varianceOfMean(bySeed);
  let squares = 0;
  for (let s = 0; s < seeds; s++) {
    for (let p = 0; p < prompts; p++) {
      squares += (errors[s * prompts + p]! - byPrompt[p]! - bySeed[s]!) ** 2;
    }
  }
  const cellsDf = (prompts - 1) * (seeds - 1);
  const ofCells = cellsDf === 0 ? 0 : squares / cellsDf / (prompts * seeds);
  const ofSeeds = Math.max(0, allSeeds - ofCells);
  const variance = ofPrompts + ofSeeds;
  const margin = {
    ...marginParts(ofPrompts, allSeeds, ofCells, seeds - 1),
    promptsDf: ofPrompts === 0 ? 0 : (promptsDf?.(byPrompt) ?? prompts - 1),
    seedsDf: seeds - 1,
  };
  return { variance, ofPrompts, ofSeeds, margin, byPrompt };
}

/**
 * The two parts of the squared half width. Prompts have counted the noise of cells already; taking all of it off the variance over seeds leaves an interval that
 * holds the truth in 90% where few seeds happen to agree, none of it 99%. Taken off is the share df / (df + 2), and seeds that agree more than that narrow the
 * interval. In normal layouts of 3 and more seeds the truth is held in 93 to 97%, whatever prompts, seeds and cells vary by; two seeds tell too little (90%).
 */
export function marginParts(
  ofPrompts: number,
  allSeeds: number,
  ofCells: number,
  seedsDf: number,
): { readonly ofPrompts: number; readonly ofSeeds: number } {
  const noise = (ofCells * seedsDf) / (seedsDf + 2);
  if (allSeeds <= noise) {
    const agreement = noise === 0 ? 0 : 1 - allSeeds / noise;
    const off = AGREEING_TAKEN_OFF * agreement * Math.min(ofPrompts, ofCells);
    return { ofPrompts: ofPrompts - off, ofSeeds: 0 };
  }
  const over = allSeeds - noise;
  const moved = (KNOWN_WITH_PROMPTS * Math.max(0, ofPrompts - ofCells) * over) / (ofPrompts + over);
  return { ofPrompts: ofPrompts + moved, ofSeeds: over - moved };
}

/**
 * Half the width of an interval that leaves out `level`: each source of error with its own Student's t, added as errors are (Banerjee 1960).
 * One t with joint degrees of freedom (Satterthwaite 1946) is too narrow where a few seeds make most of the error.
 */
export function halfWidth(margin: MarginParts, level: number): number {
  const { ofPrompts, promptsDf, ofSeeds, seedsDf } = margin;
  const squared = (part: number, df: number): number =>
    part === 0 ? 0 : part * twoSidedQuantile(level, df) ** 2;
  return Math.sqrt(squared(ofPrompts, promptsDf) + squared(ofSeeds, seedsDf));
}

/** Degrees of freedom of what seeds add to a difference of independent arms; 0 where none has several seeds. */
export function pooledSeedsDf(margins: readonly MarginParts[]): number {
  const parts = margins.filter(({ seedsDf }) => seedsDf > 0);
  const sum = parts.reduce((total, { ofSeeds }) => total + ofSeeds, 0);
  if (sum === 0) return Math.max(0, ...parts.map(({ seedsDf }) => seedsDf));
  return satterthwaite(
    sum,
    parts.map(({ ofSeeds, seedsDf }) => [ofSeeds, seedsDf]),
  );
}

/** Below this p-values are not told apart. */
export const SMALLEST_P = 1e-12;

/** The level at which half the width is `distance`: the two-sided p-value of a mean so far from 0. */
export function levelAt(margin: MarginParts, distance: number): number {
  const { ofPrompts, promptsDf, ofSeeds } = margin;
  if (ofSeeds === 0) return twoSidedTail(distance / Math.sqrt(ofPrompts), promptsDf);
  return largestLevel((level) => halfWidth(margin, level) - distance);
}

/** The level at which an interval just reaches: the root of what it reaches too far by, which falls as the level rises. At least SMALLEST_P. */
export function largestLevel(excess: (level: number) => number): number {
  const inside: Sample = [Math.log(SMALLEST_P), excess(SMALLEST_P)];
  const outside: Sample = [0, excess(1)];
  if (inside[1] <= 0) return SMALLEST_P;
  if (outside[1] >= 0) return 1;
  const byLog = (log: number): number => excess(Math.exp(log));
  return Math.exp(fallingRoot(byLog, inside, outside, { tolerance: () => 1e-13 }));
}

/** Degrees of freedom of a sum of independent variance estimates (Satterthwaite 1946), at least 1. */
export function satterthwaite(
  variance: number,
  parts: readonly (readonly [part: number, df: number])[],
): number {
  const spread = parts.reduce(
    (total, [part, df]) => (df === 0 ? total : total + (part * part) / df),
    0,
  );
  return spread === 0 ? 1 : Math.max(1, (variance * variance) / spread);
}

function means(
  rows: number,
  columns: number,
  at: (row: number, column: number) => number,
): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let total = 0;
    for (let column = 0; column < columns; column++) total += at(row, column);
    return total / columns;
  });
}

/** The estimated variance of the mean of values whose mean is 0; 0 for a single one, which tells nothing. */
function varianceOfMean(values: Float64Array): number {
  if (values.length < 2) return 0;
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares / (values.length - 1) / values.length;
}
