/** @file The scores of one behaviour at one layer, taken block by block while the store streams by. R rows, K columns. */
import { drawMixedSigns } from "../behavior/sign-flips.ts";
import { RuntimeError } from "../util/errors.ts";
import { quantile } from "../util/quantile.ts";
import { createRng } from "../util/rng.ts";
import { dot, norm } from "../util/vector.ts";
import { compareWithNull, type NullComparison } from "./null-comparison.ts";
import { createNullTally, type NullTally, tallyScores } from "./null-tally.ts";
import { SCORER_TRAITS, type ScoredBehavior, type Scorer } from "./scorer.ts";
import type { ProductBlock } from "./stream-products.ts";

/** What a finished group gives. */
export interface GroupScores {
  /** NaN where a pair has none (its vector has length zero), [N]. */
  readonly scores: Float32Array;
  /** Index of the bank vector that won, [N]; bank scorers only. */
  readonly winners: Int32Array | undefined;
  readonly null: NullComparison | undefined;
}

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
}

/** Sign patterns of a bank are scored in JavaScript, bank size times each: more than this would take longer than the store. */
const MAX_BANK_NULLS = 16;
const BANK_NULL_SEED = 0;

/** Prepares the columns of a behaviour at a layer. The behaviour has that layer. */
export function createScoreGroup(behavior: ScoredBehavior, options: ScoreGroupOptions): ScoreGroup {
  const traits = SCORER_TRAITS[options.scorer];
  return traits.usesBank
    ? createBankGroup(behavior, options)
    : createDirectionGroup(behavior, options, traits.isCosine);
}

function createDirectionGroup(
  behavior: ScoredBehavior,
  options: ScoreGroupOptions,
  isCosine: boolean,
): ScoreGroup {
  const { layer, norms } = options;
  const direction = behavior.directions.get(layer)!;
  const nulls = splitRows(behavior.nullDirections.get(layer), behavior.dim)
    .map((vector) => acrossTo(vector, direction))
    .filter((vector) => vector !== undefined)
    .slice(0, options.nullDirections);
  const count = nulls.length;
  const longNorm = isCosine || count === 0 ? undefined : longestButFew(norms);
  const collector = createCollector(norms.length, count, longNorm);
  return {
    columns: [direction, ...nulls].map(toUnit),
    take({ firstRow, rows, products, stride }, offset, lengths) {
      const { scores } = collector;
      const nullScores = new Float32Array(rows * count);
      for (let row = 0; row < rows; row++) {
        const length = lengths[row]!;
        const at = row * stride + offset;
        scores[firstRow + row] = toScore(products[at]!, length, isCosine);
        for (let n = 0; n < count; n++) {
          nullScores[row * count + n] = toScore(products[at + 1 + n]!, length, isCosine);
        }
      }
      collector.check(firstRow, lengths);
      collector.addNull(nullScores, lengths);
    },
    finish: () => collector.finish(undefined),
  };
}

/**
 * The null of a bank: each vector without the bank's mean, its sign flipped at random, and again the largest cosine. As with the
 * null directions of a behaviour, what all scenarios share is taken out, or it would leak into its own null.
 */
function createBankGroup(behavior: ScoredBehavior, options: ScoreGroupOptions): ScoreGroup {
  const { layer, norms } = options;
  // A scenario whose differences cancel has no direction and cannot win.
  const bank = splitRows(behavior.bank.get(layer), behavior.dim)
    .map((vector, scenario) => ({ vector, scenario, length: norm(vector) }))
    .filter(({ length }) => length > 0);
  const size = bank.length;
  if (size === 0) throw new RuntimeError(`${behavior.name}, layer ${layer}: the bank is empty`);
  const residuals = residualLengths(bank.map(({ vector }) => vector));
  const patterns = residuals.every((length) => length > 0)
    ? drawMixedSigns(
        size,
        size < 2 ? 0 : Math.min(options.nullDirections, MAX_BANK_NULLS),
        createRng(BANK_NULL_SEED),
      )
    : [];
  const winners = new Int32Array(norms.length).fill(-1);
  const collector = createCollector(norms.length, patterns.length, undefined);
  const residualCosines = new Float32Array(size);
  return {
    columns: bank.map(({ vector }) => toUnit(vector)),
    take({ firstRow, rows, products, stride }, offset, lengths) {
      const { scores } = collector;
      const nullScores = new Float32Array(rows * patterns.length);
      for (let row = 0; row < rows; row++) {
        const at = row * stride + offset;
        const length = lengths[row]!;
        let best = -Infinity;
        let winner = -1;
        let mean = 0;
        for (let b = 0; b < size; b++) {
          const product = products[at + b]!;
          mean += (product * bank[b]!.length) / size;
          if (product > best) [best, winner] = [product, b];
        }
        scores[firstRow + row] = toScore(best, length, true);
        if (length > 0) winners[firstRow + row] = bank[winner]!.scenario;
        for (let b = 0; b < size; b++) {
          residualCosines[b] =
            (products[at + b]! * bank[b]!.length - mean) / (residuals[b]! * length);
        }
        for (const [n, signs] of patterns.entries()) {
          nullScores[row * patterns.length + n] =
            length > 0 ? largestSigned(residualCosines, signs) : Number.NaN;
        }
      }
      collector.check(firstRow, lengths);
      collector.addNull(nullScores, lengths);
    },
    finish: () => collector.finish(winners),
  };
}

/** Scores and the null tally of one group. `longNorm` is given where scores are projections, not cosines. */
function createCollector(
  rows: number,
  nulls: number,
  longNorm: number | undefined,
): {
  /** NaN until a group fills them in. */
  readonly scores: Float32Array;
  /** Throws RuntimeError where a pair that has a direction got no score: its stored vector holds NaN. */
  check(firstRow: number, lengths: Float32Array): void;
  addNull(scores: Float32Array, lengths: Float32Array): void;
  finish(winners: Int32Array | undefined): GroupScores;
} {
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
    finish: (winners) => ({
      scores,
      winners,
      null:
        tally === undefined
          ? undefined
          : compareWithNull(scores, tally, longNorm === undefined ? "cosine" : "projection"),
    }),
  };
}

/** The range of a tally covers this many times the largest null cosine of the first block, so that later tails fit. */
const HEADROOM = 4;

/** A length that one vector in a thousand exceeds. */
function longestButFew(norms: Float32Array): number {
  return Math.max(quantile(norms, 0.999), Number.MIN_VALUE);
}

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
function toScore(product: number, length: number, isCosine: boolean): number {
  if (length === 0 || product === Infinity || product === -Infinity) return Number.NaN;
  if (!isCosine) return product;
  const cosine = product / length;
  // It may exceed 1 by rounding, since lengths were taken before vectors were rounded.
  return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
}

function largestSigned(values: Float32Array, signs: Int8Array): number {
  let best = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]! * signs[i]!;
    if (value > best) best = value;
  }
  return best;
}

function residualLengths(bank: readonly Float32Array[]): number[] {
  const mean = new Float64Array(bank[0]!.length);
  for (const vector of bank) {
    for (let i = 0; i < mean.length; i++) mean[i]! += vector[i]! / bank.length;
  }
  return bank.map((vector) => norm(Float64Array.from(vector, (value, i) => value - mean[i]!)));
}

function splitRows(matrix: Float32Array | undefined, dim: number): Float32Array[] {
  if (matrix === undefined) return [];
  return Array.from({ length: matrix.length / dim }, (_, row) =>
    matrix.subarray(row * dim, (row + 1) * dim),
  );
}

/** Below this share of its length what is left across the behaviour's direction is rounding. */
const ROUNDING_SHARE = 1e-5;

/**
 * A null direction less its part along the behaviour's, undefined where nothing is left. An error along v does not turn it, and would
 * carry the behaviour's own tail into its null: with a few axes that hold most of the variance the two are often 45° apart.
 */
function acrossTo(vector: Float32Array, direction: Float32Array): Float32Array | undefined {
  const part = dot(vector, direction) / dot(direction, direction);
  const across = vector.map((value, i) => value - part * direction[i]!);
  return norm(across) > ROUNDING_SHARE * norm(vector) ? across : undefined;
}

function toUnit(vector: Float32Array): Float32Array {
  const length = norm(vector);
  return vector.map((value) => value / length);
}
