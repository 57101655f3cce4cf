/** @file Scores by the nearest vector of a behaviour's bank, and the null banks they are held to. S vectors, N null banks. */
import { drawMixedSigns, drawSigns } from "../behavior/sign-flips.ts";
import { RuntimeError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { dot, norm } from "../util/vector.ts";
import {
  createCollector,
  type ScoreGroup,
  type ScoreGroupOptions,
  splitRows,
  toScore,
  toUnit,
} from "./group-scores.ts";
import type { ScoredBehavior } from "./method.ts";

/** Null banks are scored in JavaScript, bank size times each: more than this would take longer than the store. */
const MAX_BANK_NULLS = 16;
const BANK_NULL_SEED = 0;

/** One behaviour's bank at one layer: a score is the largest cosine with a vector of it. */
export function createBankGroup(behavior: ScoredBehavior, options: ScoreGroupOptions): ScoreGroup {
  const { layer, norms } = options;
  // A scenario whose differences cancel has no direction and cannot win.
  const bank = splitRows(behavior.bank.get(layer), behavior.dim)
    .map((vector, scenario) => ({ vector, scenario, length: norm(vector) }))
    .filter(({ length }) => length > 0);
  const size = bank.length;
  if (size === 0) throw new RuntimeError(`${behavior.name}, layer ${layer}: the bank is empty`);
  const nulls = nullBanks(
    bank.map(({ vector }) => vector),
    options.nullDirections,
  );
  const count = nulls?.count ?? 0;
  const winners = new Int32Array(norms.length).fill(-1);
  const collector = createCollector(norms.length, count, undefined);
  const along = new Float64Array(size);
  return {
    columns: bank.map(({ vector }) => toUnit(vector)),
    take({ firstRow, rows, products, stride }, offset, lengths) {
      const nullScores = new Float32Array(rows * count);
      for (let row = 0; row < rows; row++) {
        const at = row * stride + offset;
        const length = lengths[row]!;
        let winner = 0;
        for (let b = 0; b < size; b++) {
          along[b] = products[at + b]! * bank[b]!.length;
          if (products[at + b]! > products[at + winner]!) winner = b;
        }
        collector.scores[firstRow + row] = toScore(products[at + winner]!, length, true);
        if (length > 0) winners[firstRow + row] = bank[winner]!.scenario;
        nulls?.score(along, length, nullScores.subarray(row * count, (row + 1) * count));
      }
      collector.check(firstRow, lengths);
      collector.addNull(nullScores, lengths);
    },
    finish: () => ({ scores: collector.scores, winners, null: collector.compare() }),
  };
}

interface NullBanks {
  readonly count: number;
  /** Writes the largest cosine with each null bank, [N], from the products of a pair's vector with the bank's, [S]. */
  score(products: Float64Array, length: number, into: Float32Array): void;
}

/** Below this share of the mean's length what is left across it is rounding. */
const ROUNDING_SHARE = 1e-5;

/**
 * Banks like this one that mean nothing. A vector of the bank is q·m̂ + r, with m̂ the direction of the bank's mean and r across it; a null bank
 * has q·n̂ ± r, with n̂ a mean of the r under random signs. So its vectors are as long, and as near to each other, as the bank's, and the
 * largest of their cosines has the same shape: sign flips of the vectors alone would leave them no mean, and a higher maximum.
 * Undefined where there are too few vectors, or they do not differ.
 */
function nullBanks(bank: readonly Float32Array[], most: number): NullBanks | undefined {
  const size = bank.length;
  const mean = meanOf(bank);
  const meanLength = norm(mean);
  const longest = Math.max(...bank.map(norm));
  if (size < 2 || most === 0 || meanLength <= ROUNDING_SHARE * longest) return undefined;
  const shared = Float64Array.from(bank, (vector) => dot(vector, mean) / meanLength);
  const own = bank.map((vector, b) =>
    Float64Array.from(vector, (value, i) => value - (shared[b]! / meanLength) * mean[i]!),
  );
  if (own.every((vector) => norm(vector) <= ROUNDING_SHARE * meanLength)) return undefined;
  const rng = createRng(BANK_NULL_SEED);
  const count = Math.min(most, MAX_BANK_NULLS);
  const turns = drawMixedSigns(size, count, rng);
  const flips = drawSigns(size, count, rng);
  const banks = turns.map((signs, n) => {
    const turned = combine(own, signs);
    const length = norm(turned);
    if (length <= ROUNDING_SHARE * meanLength) return undefined;
    const lengths = own.map((vector, b) => {
      const overlap = (2 * shared[b]! * flips[n]![b]! * dot(vector, turned)) / length;
      return Math.sqrt(shared[b]! ** 2 + dot(vector, vector) + overlap);
    });
    return { signs, flips: flips[n]!, length, lengths };
  });
  const kept = banks.filter((each) => each !== undefined);
  const acrossMean = new Float64Array(size);
  return kept.length === 0
    ? undefined
    : {
        count: kept.length,
        score(products, length, into) {
          let alongMean = 0;
          for (let b = 0; b < size; b++) alongMean += products[b]! / size / meanLength;
          for (let b = 0; b < size; b++) acrossMean[b] = products[b]! - shared[b]! * alongMean;
          for (const [n, each] of kept.entries()) {
            into[n] = length > 0 ? largestCosine(each, shared, acrossMean) / length : Number.NaN;
          }
        },
      };
}

function largestCosine(
  bank: { signs: Int8Array; flips: Int8Array; length: number; lengths: readonly number[] },
  shared: Float64Array,
  across: Float64Array,
): number {
  const { signs, flips, length, lengths } = bank;
  let along = 0;
  for (let b = 0; b < across.length; b++) along += (signs[b]! * across[b]!) / length;
  let best = -Infinity;
  for (let b = 0; b < across.length; b++) {
    // A vector of length 0 has no direction.
    const cosine = (shared[b]! * along + flips[b]! * across[b]!) / lengths[b]!;
    if (cosine > best) best = cosine;
  }
  return best;
}

function meanOf(bank: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(bank[0]!.length);
  for (const vector of bank) {
    for (let i = 0; i < mean.length; i++) mean[i]! += vector[i]! / bank.length;
  }
  return mean;
}

function combine(vectors: readonly Float64Array[], signs: Int8Array): Float64Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const [v, vector] of vectors.entries()) {
    for (let i = 0; i < sum.length; i++) sum[i]! += signs[v]! * vector[i]!;
  }
  return sum;
}
