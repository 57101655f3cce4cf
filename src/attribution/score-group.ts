/** @file The scores of one behaviour at one layer, taken block by block while the store streams by. R rows, K columns. */
import { quantile } from "../stats/quantile.ts";
import { dot, norm } from "../util/vector.ts";
import { createBankGroup } from "./bank-group.ts";
import {
  createCollector,
  type ScoreCollector,
  type ScoreGroup,
  type ScoreGroupOptions,
  splitRows,
  toScore,
  toUnit,
} from "./group-scores.ts";
import type { ScoredBehavior } from "./method.ts";
import { SCORER_TRAITS } from "./scorer.ts";

/** Prepares the columns of a behaviour at a layer. The behaviour has that layer. */
export function createScoreGroup(behavior: ScoredBehavior, options: ScoreGroupOptions): ScoreGroup {
  const { usesBank, traits } = SCORER_TRAITS[options.scorer];
  return usesBank
    ? createBankGroup(behavior, options)
    : createDirectionGroup(behavior, options, traits.isBounded);
}

function createDirectionGroup(
  behavior: ScoredBehavior,
  options: ScoreGroupOptions,
  isCosine: boolean,
): ScoreGroup {
  const { layer, norms, mean } = options;
  const direction = behavior.directions.get(layer)!;
  const nulls = splitRows(behavior.nullDirections.get(layer), behavior.dim)
    .map((vector) => acrossTo(vector, direction))
    .filter((vector) => vector !== undefined)
    .slice(0, options.nullDirections);
  const count = nulls.length;
  // A length that one vector in a thousand exceeds.
  const longNorm =
    isCosine || count === 0 ? undefined : Math.max(quantile(norms, 0.999), Number.MIN_VALUE);
  const collector = createCollector(norms.length, count, longNorm);
  const columns = [direction, ...nulls].map(toUnit);
  const raw = mean === undefined || count === 0 ? undefined : collectRaw(columns, mean, norms);
  return {
    columns,
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
      raw?.take(firstRow, rows, (row, c) => products[row * stride + offset + c]!);
    },
    finish: () => ({
      scores: collector.scores,
      null: collector.compare(raw?.collector),
    }),
  };
}

/**
 * Collects the cosines of the vectors as they are beside those of the centred ones: taking the mean out takes out the shift of all pairs, and
 * whether there is one must be seen before.
 */
function collectRaw(
  columns: readonly Float32Array[],
  mean: Float32Array,
  norms: Float32Array,
): {
  readonly collector: ScoreCollector;
  take(firstRow: number, rows: number, product: (row: number, column: number) => number): void;
} {
  const shifts = columns.map((column) => dot(column, mean));
  const count = columns.length - 1;
  const collector = createCollector(norms.length, count, undefined);
  return {
    collector,
    take(firstRow, rows, product) {
      const nullScores = new Float32Array(rows * count);
      for (let row = 0; row < rows; row++) {
        const length = norms[firstRow + row]!;
        const score = (c: number): number => toScore(product(row, c) + shifts[c]!, length, true);
        collector.scores[firstRow + row] = score(0);
        for (let n = 0; n < count; n++) nullScores[row * count + n] = score(1 + n);
      }
      collector.addNull(nullScores, norms.subarray(firstRow, firstRow + rows));
    },
  };
}

/** Below this share of its length what is left across the behaviour's direction is rounding. */
const ROUNDING_SHARE = 1e-5;

/**
 * A null direction less its part along the behaviour's, undefined where nothing is left. An error along v does not turn it, and would
 * carry the behaviour's own tail into its null: with a few axes that hold most of the variance the two are often 45° apart.
 */
export function acrossTo(vector: Float32Array, direction: Float32Array): Float32Array | undefined {
  const part = dot(vector, direction) / dot(direction, direction);
  const across = vector.map((value, i) => value - part * direction[i]!);
  return norm(across) > ROUNDING_SHARE * norm(vector) ? across : undefined;
}
