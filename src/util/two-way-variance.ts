/** @file The error of a mean over S seeds × P prompts (or other items) that both were drawn from many. */

/** Variance of the mean of [S, P] errors by what it comes from. */
export interface TwoWayVariance {
  /** Of the mean over all cells: prompts, and what seeds add to them. */
  readonly variance: number;
  readonly ofPrompts: number;
  /** What seeds add: the variance over seeds less the noise of cells, which prompts have counted already; at least 0. */
  readonly ofSeeds: number;
  /** Satterthwaite's degrees of freedom. */
  readonly df: number;
  /** Mean error of each prompt, [P]. */
  readonly byPrompt: Float64Array;
}

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
  const df = satterthwaite(variance, [
    [ofPrompts, ofPrompts === 0 ? 0 : (promptsDf?.(byPrompt) ?? prompts - 1)],
    [allSeeds, seeds - 1],
    [ofCells, cellsDf],
  ]);
  return { variance, ofPrompts, ofSeeds, df, byPrompt };
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
