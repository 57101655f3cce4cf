/** @file Cholesky factors of symmetric matrices, n x n row by row in double precision. */

/**
 * Factors a positive definite matrix as L Lᵀ; only the lower triangle of `matrix` is read. Undefined where it is not positive
 * definite to rounding. O(n³ / 3).
 */
export function choleskyFactor(matrix: Float64Array, n: number): Float64Array | undefined {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = matrix[i * n + j]! - prefixDot(lower, i * n, j * n, j);
      if (j < i) lower[i * n + j] = rest / lower[j * n + j]!;
      else if (rest > Number.EPSILON * n * matrix[i * n + i]!) lower[i * n + i] = Math.sqrt(rest);
      else return undefined;
    }
  }
  return lower;
}

/** Solves L Lᵀ x = b for the factor of choleskyFactor, [n]. */
export function choleskySolve(lower: Float64Array, b: ArrayLike<number>): Float64Array {
  const n = b.length;
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let rest = b[i]!;
    for (let j = 0; j < i; j++) rest -= lower[i * n + j]! * x[j]!;
    x[i] = rest / lower[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const value = x[i]! / lower[i * n + i]!;
    x[i] = value;
    // Column i of Lᵀ read as row i of L, so that memory is walked in order.
    for (let j = 0; j < i; j++) x[j]! -= lower[i * n + j]! * value;
  }
  return x;
}

/** Variance left, as a share of the largest, below which a row is a combination of those before it: single-precision rounding. */
const RANK_TOLERANCE = 1e-11;

/**
 * Coordinates of n vectors of which only the inner products `gram` [n, n] are known: rows [n, r] with the same inner products,
 * r the rank (Cholesky with pivoting). Distances and angles are those of the vectors.
 */
export function gramCoordinates(
  gram: Float64Array,
  n: number,
): { readonly rank: number; readonly rows: Float64Array } {
  const left = Float64Array.from({ length: n }, (_, i) => gram[i * n + i]!);
  const largest = Math.max(...left);
  const rows = new Float64Array(n * n);
  let rank = 0;
  for (; rank < n; rank++) {
    const pivot = left.indexOf(Math.max(...left));
    if (!(left[pivot]! > RANK_TOLERANCE * largest)) break;
    const root = Math.sqrt(left[pivot]!);
    for (let i = 0; i < n; i++) {
      const value = (gram[i * n + pivot]! - prefixDot(rows, i * n, pivot * n, rank)) / root;
      rows[i * n + rank] = value;
      left[i]! -= value * value;
    }
    left[pivot] = 0;
  }
  return { rank, rows: narrow(rows, n, rank) };
}

/** The first `columns` columns of an n x n matrix. */
function narrow(matrix: Float64Array, n: number, columns: number): Float64Array {
  const narrowed = new Float64Array(n * columns);
  for (let i = 0; i < n; i++) {
    narrowed.set(matrix.subarray(i * n, i * n + columns), i * columns);
  }
  return narrowed;
}

function prefixDot(matrix: Float64Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += matrix[a + k]! * matrix[b + k]!;
  return sum;
}
