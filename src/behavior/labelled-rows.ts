import { ConfigError } from "../util/errors.ts";
import type { Grouping } from "./prompt-groups.ts";

/** Activations with and without the behaviour at one layer: what a probe learns from. m rows, D dimensions. */
export interface LabelledRows {
  readonly dim: number;
  /** [m, D] row by row. */
  readonly rows: Float32Array;
  /** [m]: 1 for an after-response, 0 for a before-response. */
  readonly labels: Uint8Array;
  /** The prompt of each row: the unit that is held out, resampled and sign-flipped as a whole. */
  readonly prompts: Grouping;
  /** [m], above 0: how much a row counts; see pairWeights. */
  readonly weights: Float64Array;
}

/** The most rows that a trained probe takes: matrices of m x m and m x D doubles are held, 128 MiB each at 4096. */
export const MAX_PROBE_ROWS = 4096;

/** Both sides of n response pairs as 2n rows: first every before-response, then every after-response. */
export function labelPairs(
  sides: { readonly before: Float32Array; readonly differences: Float32Array },
  prompts: Grouping,
  pairWeights: Float64Array,
): LabelledRows {
  const n = pairWeights.length;
  const { before, differences } = sides;
  const rows = new Float32Array(2 * before.length);
  rows.set(before);
  for (let i = 0; i < before.length; i++) rows[before.length + i] = before[i]! + differences[i]!;
  return {
    dim: before.length / n,
    rows,
    labels: Uint8Array.from({ length: 2 * n }, (_, i) => (i < n ? 0 : 1)),
    prompts: {
      of: Int32Array.from({ length: 2 * n }, (_, i) => prompts.of[i % n]!),
      labels: prompts.labels,
    },
    weights: Float64Array.from({ length: 2 * n }, (_, i) => pairWeights[i % n]!),
  };
}

/** Throws ConfigError where the rows at `members` have one label only, or where there are more than a trained probe takes. */
export function requireTwoClasses(labels: Uint8Array, members: Int32Array): void {
  if (members.length > MAX_PROBE_ROWS) {
    throw new ConfigError(
      `trained probe: expected at most ${MAX_PROBE_ROWS} responses, got ${members.length}`,
      { hint: "Give a sample of the response pairs, or take --probe mean-difference." },
    );
  }
  const after = members.reduce((sum, i) => sum + labels[i]!, 0);
  if (after > 0 && after < members.length) return;
  throw new ConfigError(
    `trained probe: expected before- and after-responses, got ${members.length} ${after > 0 ? "after" : "before"}-responses only`,
    { hint: "A classifier needs responses with and without the behaviour." },
  );
}

/** The mean of the after-rows minus that of the before-rows at `members`, by weight, [D]. */
export function labelledDifference(
  { dim, rows, weights }: LabelledRows,
  members: Int32Array,
  labels: Uint8Array,
): Float64Array {
  const totals = [0, 0];
  for (const i of members) totals[labels[i]!]! += weights[i]!;
  const difference = new Float64Array(dim);
  for (const i of members) {
    const share = (labels[i] === 1 ? weights[i]! : -weights[i]!) / totals[labels[i]!]!;
    for (let j = 0; j < dim; j++) difference[j]! += share * rows[i * dim + j]!;
  }
  return difference;
}

/** All rows, for `members`. */
export function allMembers(rows: LabelledRows): Int32Array {
  return Int32Array.from(rows.labels, (_, i) => i);
}
