import { createRng } from "../util/rng.ts";
import { dot } from "../util/vector.ts";

/** Rows and their coordinates along the directions in which they vary most. */
export interface PrincipalComponents {
  /** Of every row along each component, [k] of [N]; the largest entry of a component's direction is positive, as in scikit-learn. */
  readonly coordinates: readonly Float64Array[];
  /** Share of the whole variance that lies along each, [k], falling. */
  readonly shares: readonly number[];
}

/** Directions that are iterated beside those asked for: what comes next in variance is then far off, and few iterations do. */
const SPARE = 6;
/** Iterations at most, and the change of the variance found, relative, that ends them. */
const MAX_ITERATIONS = 300;
const TOLERANCE = 1e-13;

/**
 * Principal components of N rows of width D about their mean, by subspace iteration (Halko, Martinsson and Tropp 2011): the covariance, [D, D], is
 * never made. Memory: some vectors of D. Rows (0, 0), (2, 0), (4, 0) have coordinates -2, 0, 2 along the first, which has all of
 * the variance.
 */
export function principalComponents(
  {
    count,
    width,
    values,
  }: { readonly count: number; readonly width: number; readonly values: ArrayLike<number> },
  k: number,
): PrincipalComponents {
  const centred = centre(count, width, values);
  const total = squaredLength(centred);
  const m = Math.min(width, k + SPARE);
  const rng = createRng(1);
  let basis = orthonormal(
    Array.from({ length: m }, () => Float64Array.from({ length: width }, () => rng.normal())),
  );
  let [found, before] = [0, -1];
  for (let i = 0; i < MAX_ITERATIONS && Math.abs(found - before) > TOLERANCE * total; i++) {
    before = found;
    const projected = basis.map((direction) => timesRows(centred, count, direction));
    found = projected.slice(0, k).reduce((sum, each) => sum + squaredLength(each), 0);
    basis = orthonormal(projected.map((each) => timesColumns(centred, width, each)));
  }
  return rotate(centred, { count, total, basis, k });
}

function centre(count: number, width: number, values: ArrayLike<number>): Float64Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < count * width; i++) mean[i % width]! += values[i]! / count;
  return Float64Array.from({ length: count * width }, (_, i) => values[i]! - mean[i % width]!);
}

/** X v, [N]. */
function timesRows(rows: Float64Array, count: number, direction: Float64Array): Float64Array {
  const width = direction.length;
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += rows[i * width + j]! * direction[j]!;
    return sum;
  });
}

/** Xᵀ u, [D]. */
function timesColumns(rows: Float64Array, width: number, weights: Float64Array): Float64Array {
  const sums = new Float64Array(width);
  for (const [i, weight] of weights.entries()) {
    for (let j = 0; j < width; j++) sums[j]! += weight * rows[i * width + j]!;
  }
  return sums;
}

/** Gram and Schmidt, twice; what is left of a dependent vector becomes zeros. */
function orthonormal(vectors: readonly Float64Array[]): readonly Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    const start = Math.sqrt(squaredLength(vector));
    for (let pass = 0; pass < 2; pass++) {
      for (const other of done) add(vector, other, -dot(vector, other));
    }
    const length = Math.sqrt(squaredLength(vector));
    const scale = length > 1e-10 * start ? 1 / length : 0;
    done.push(vector.map((each) => each * scale));
  }
  return done;
}

/** The directions of most variance within the basis, in their order. */
function rotate(
  centred: Float64Array,
  {
    count,
    total,
    basis,
    k,
  }: {
    readonly count: number;
    readonly total: number;
    readonly basis: readonly Float64Array[];
    readonly k: number;
  },
): PrincipalComponents {
  const projected = basis.map((direction) => timesRows(centred, count, direction));
  const square = projected.map((a) => projected.map((b) => dot(a, b)));
  const turns = diagonalise(square);
  const order = [...basis.keys()].toSorted((a, b) => square[b]![b]! - square[a]![a]!).slice(0, k);
  const combine = (vectors: readonly Float64Array[], column: number): Float64Array => {
    const sum = new Float64Array(vectors[0]!.length);
    for (const [i, vector] of vectors.entries()) add(sum, vector, turns[i]![column]!);
    return sum;
  };
  return {
    shares: order.map((column) => (total === 0 ? 0 : square[column]![column]! / total)),
    coordinates: order.map((column) => {
      const direction = combine(basis, column);
      const largest = direction.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
      const sign = largest < 0 ? -1 : 1;
      return combine(projected, column).map((each) => sign * each);
    }),
  };
}

/** Turns a small symmetric matrix diagonal in place (Jacobi) and gives the turns, one column for each of its entries. */
function diagonalise(matrix: readonly number[][]): readonly number[][] {
  const n = matrix.length;
  const turns = matrix.map((_, i) => matrix.map((__, j) => Number(i === j)));
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (matrix[p]![q] === 0) continue;
        const angle = Math.atan2(2 * matrix[p]![q]!, matrix[q]![q]! - matrix[p]![p]!) / 2;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (const row of [...matrix, ...turns]) turn(row, [p, q], [c, s]);
        for (let j = 0; j < n; j++) {
          const [a, b] = [matrix[p]![j]!, matrix[q]![j]!];
          matrix[p]![j] = c * a - s * b;
          matrix[q]![j] = s * a + c * b;
        }
      }
    }
  }
  return turns;
}

function turn(
  row: number[],
  [p, q]: readonly [number, number],
  [c, s]: readonly [number, number],
): void {
  const [a, b] = [row[p]!, row[q]!];
  row[p] = c * a - s * b;
  row[q] = s * a + c * b;
}

const squaredLength = (vector: Float64Array): number => dot(vector, vector);

function add(to: Float64Array, vector: Float64Array, times: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += times * vector[i]!;
}
