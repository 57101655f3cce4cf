/** @file Response pairs summed by prompt: the units that may be split, resampled and sign-flipped. */

/**
 * Labels as dense numbers, in the order in which they are first seen.
 * `of[i]` is the position of the i-th key's label in `labels`.
 */
export interface Grouping {
  readonly of: Int32Array;
  readonly labels: readonly string[];
}

/** Groups equal keys. */
export function groupKeys(keys: readonly string[]): Grouping {
  const positions = new Map<string, number>();
  const of = new Int32Array(keys.length);
  keys.forEach((key, i) => {
    const position = positions.get(key) ?? positions.size;
    positions.set(key, position);
    of[i] = position;
  });
  return { of, labels: [...positions.keys()] };
}

/**
 * Weighted sums of the pairs' differences within each prompt, G prompts x D dimensions.
 *
 * Every mean difference is linear in these: (sum over prompts) / (sum of weights). Rollouts of one prompt share what is
 * particular to that prompt, so they are not independent draws; only whole prompts are treated as such.
 */
export interface PromptSums {
  readonly count: number;
  readonly dim: number;
  /** [G, D] */
  readonly sums: Float64Array;
  /** [G] */
  readonly weights: Float64Array;
}

/** Sums weight x difference by prompt. `differences` [n, D] row by row, `weights` [n]. */
export function sumByPrompt(
  differences: Float32Array,
  weights: Float64Array,
  prompts: Grouping,
): PromptSums {
  const dim = differences.length / weights.length;
  const count = prompts.labels.length;
  const sums = new Float64Array(count * dim);
  const promptWeights = new Float64Array(count);
  for (let i = 0; i < weights.length; i++) {
    const prompt = prompts.of[i]!;
    const weight = weights[i]!;
    promptWeights[prompt]! += weight;
    const from = i * dim;
    const to = prompt * dim;
    for (let j = 0; j < dim; j++) sums[to + j]! += weight * differences[from + j]!;
  }
  return { count, dim, sums, weights: promptWeights };
}

/** So many sums are made in one pass over the prompts: memory is read once for all of them, and they stay in the cache. */
const SUMS_PER_PASS = 8;

/**
 * For each pattern of G coefficients, `visit` on the sum over prompts of coefficient x prompt sum, [D].
 * The vector given is overwritten afterwards: keep what is computed from it, not the vector.
 */
export function mapCombined<T>(
  prompts: PromptSums,
  patterns: readonly ArrayLike<number>[],
  visit: (combined: Float64Array, pattern: number) => T,
): T[] {
  const { count, dim, sums } = prompts;
  const totals = Array.from({ length: SUMS_PER_PASS }, () => new Float64Array(dim));
  const results: T[] = [];
  for (let start = 0; start < patterns.length; start += SUMS_PER_PASS) {
    const pass = patterns.slice(start, start + SUMS_PER_PASS);
    for (const total of totals) total.fill(0);
    for (let g = 0; g < count; g++) {
      const row = sums.subarray(g * dim, (g + 1) * dim);
      for (let k = 0; k < pass.length; k++) addScaled(totals[k]!, row, pass[k]![g]!);
    }
    for (let k = 0; k < pass.length; k++) results.push(visit(totals[k]!, start + k));
  }
  return results;
}

/** The sum over all prompts, [D]. */
export function sumPrompts({ count, dim, sums }: PromptSums): Float64Array {
  const total = new Float64Array(dim);
  for (let g = 0; g < count; g++) addScaled(total, sums.subarray(g * dim, (g + 1) * dim), 1);
  return total;
}

function addScaled(total: Float64Array, row: Float64Array, scale: number): void {
  if (scale === 0) return;
  for (let j = 0; j < total.length; j++) total[j]! += scale * row[j]!;
}
