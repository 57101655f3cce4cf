/** @file What a score group is given and gives, and how it collects scores while the store streams by. R rows, K columns. */
import { RuntimeError } from "../util/errors.ts";
import { norm } from "../util/vector.ts";
import type { ProductBlock } from "./block-kernel.ts";
import type { Scored } from "./method.ts";
import { compareWithNull, type NullComparison } from "./null-comparison.ts";
import { createNullTally, type NullTally, tallyScores } from "./null-tally.ts";
import type { Scorer } from "./scorer.ts";

/** What a finished group gives. */
export type GroupScores = Pick<Scored, "scores" | "winners" | "null">;

/** One behaviour at one layer. */
export interface ScoreGroup {
  /** The unit vectors that the store is to be multiplied by, [D] each. */
  readonly columns: readonly Float32Array[];
  /** Takes the products of the columns, which start at `offset`; `lengths` are those of the (centred) datapoint vectors, [R]. */
  take(block: ProductBlock, offset: number, lengths: Float32Array): void;
  finish(): GroupScores;
}

export interface ScoreGroupOptions {
  readonly layer: number;
  readonly scorer: Scorer;
  /** Null directions at most. */
  readonly nullDirections: number;
  /** Lengths of the stored vectors, [N]. */
  readonly norms: Float32Array;
  /** The mean of the stored vectors, [D], for a centred scorer. */
  readonly mean?: Float32Array | undefined;
}

/** Collects the scores and the null tally of one group. */
export interface ScoreCollector {
  /** NaN until a group fills them in, [N]. */
  readonly scores: Float32Array;
  /** Throws RuntimeError where a pair that has a direction got no score: its stored vector holds NaN. */
  check(firstRow: number, lengths: Float32Array): void;
  /** Takes the null scores of a block, [R, N] row by row. */
  addNull(scores: Float32Array, lengths: Float32Array): void;
  /** Compares with the null; `location` collects the scores whose shift is looked at, if not these. */
  compare(location?: ScoreCollector): NullComparison | undefined;
  /** What has been counted; undefined without null scores. */
  tally(): NullTally | undefined;
}

/** An empty collector for `rows` pairs. `longNorm` is given where scores are projections, not cosines. */
export function createCollector(
  rows: number,
  nulls: number,
  longNorm: number | undefined,
): ScoreCollector {
  const scores = new Float32Array(rows).fill(Number.NaN);
  let tally: NullTally | undefined;
  return {
    scores,
    check(firstRow, lengths) {
      for (let row = 0; row < lengths.length; row++) {
        if (lengths[row] === 0 || !Number.isNaN(scores[firstRow + row])) continue;
        throw new RuntimeError(`store row ${firstRow + row}: its vector is not finite`, {
          hint: "Delete the shard that holds it and embed it again.",
        });
      }
    },
    addNull(nullScores, lengths) {
      if (nulls === 0) return;
      tally ??= createNullTally(nulls, nullRange(nullScores, nulls, { lengths, longNorm }));
      tallyScores(tally, nullScores, lengths.length);
    },
    compare(location) {
      if (tally === undefined) return undefined;
      const kind = longNorm === undefined ? "cosine" : "projection";
      const found = location?.tally();
      return compareWithNull(scores, tally, {
        kind,
        location: location && found && { scores: location.scores, tally: found },
      });
    },
    tally: () => tally,
  };
}

/** The range of a tally covers this many times the largest null cosine of the first block, so that later tails fit. */
const HEADROOM = 4;

/** How far the null scores of the whole store may reach, from those of its first block; projections grow with the norm. */
function nullRange(
  nullScores: Float32Array,
  nulls: number,
  { lengths, longNorm }: { lengths: Float32Array; longNorm: number | undefined },
): number {
  let largest = 0;
  for (const [i, score] of nullScores.entries()) {
    const cosine = longNorm === undefined ? score : score / lengths[Math.floor(i / nulls)]!;
    if (Math.abs(cosine) > largest) largest = Math.abs(cosine);
  }
  const range = largest === 0 ? 1 : Math.min(1, HEADROOM * largest);
  return range * (longNorm ?? 1);
}

/** The score of an inner product with a unit vector; NaN without a length. Infinite products give NaN too. */
export function toScore(product: number, length: number, isCosine: boolean): number {
  if (length === 0 || product === Infinity || product === -Infinity) return Number.NaN;
  if (!isCosine) return product;
  const cosine = product / length;
  // It may exceed 1 by rounding, since lengths were taken before vectors were rounded.
  return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
}

/** The rows of a matrix, [D] each; none of an absent one. */
export function splitRows(matrix: Float32Array | undefined, dim: number): Float32Array[] {
  if (matrix === undefined) return [];
  return Array.from({ length: matrix.length / dim }, (_, row) =>
    matrix.subarray(row * dim, (row + 1) * dim),
  );
}

/** The vector at length 1. */
export function toUnit(vector: Float32Array): Float32Array {
  const length = norm(vector);
  return vector.map((value) => value / length);
}
