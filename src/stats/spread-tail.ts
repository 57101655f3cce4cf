/** @file A value held to a spread that few independent values tell: Student's t where these count unequally. */

/** Panels of the midpoint rule. */
const PANELS = 256;
/** Sweeps at most, and the share beside the diagonal, of squares, that ends them: rounding leaves about as much. */
const MAX_SWEEPS = 30;
const TOLERANCE = 1e-13;

/**
 * P(x > q s) for a standard normal x and an independent s² = Σ w_j y_j² of standard normals y_j: how often a value lies q spreads above 0 where
 * the spread is itself an estimate. `weights` from 0, of sum 1. Of k equal weights it is Student's t with k degrees of freedom; few large
 * weights make a heavy tail. P(x > h) is 1/π ∫ exp(−h²/(2 sin²φ)) dφ from 0 to π/2 (Craig 1991), and the mean of exp(−a y²) is (1 + 2a)^−1/2, so that
 * it is 1/π ∫ Π (1 + q² w_j/sin²φ)^−1/2 dφ.
 *
 * Worked: one weight, q = 3: 1/2 − arctan(3)/π = 0.1024; four of 0.25: 0.01997; a normal one: 0.00135.
 */
export function spreadTail(q: number, weights: ArrayLike<number>): number {
  if (q < 0) return 1 - spreadTail(-q, weights);
  let sum = 0;
  for (let i = 0; i < PANELS; i++) {
    const sine = Math.sin(((i + 0.5) / PANELS) * (Math.PI / 2));
    const factor = (q / sine) ** 2;
    let log = 0;
    for (let j = 0; j < weights.length; j++) log += Math.log1p(factor * weights[j]!);
    sum += Math.exp(-log / 2);
  }
  return sum / PANELS / 2;
}

/** The eigenvalues of a symmetric matrix [n, n] by Jacobi's turns, in no order. [[2, 1], [1, 2]] has 3 and 1. */
export function eigenvalues(matrix: ArrayLike<number>, n: number): Float64Array {
  const a = Float64Array.from(matrix);
  const enough = TOLERANCE * squares(a);
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
    if (squares(a) - squares(diagonal) <= enough) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) turn(a, n, [p, q]);
  }
  return Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
}

const squares = (values: Float64Array): number =>
  values.reduce((sum, each) => sum + each * each, 0);

/** Turns rows and columns p and q so that their common entry becomes 0. */
function turn(a: Float64Array, n: number, [p, q]: readonly [number, number]): void {
  const common = a[p * n + q]!;
  if (common === 0) return;
  const angle = Math.atan2(2 * common, a[q * n + q]! - a[p * n + p]!) / 2;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const mix = (i: number, j: number): void => {
    const [x, y] = [a[i]!, a[j]!];
    a[i] = c * x - s * y;
    a[j] = s * x + c * y;
  };
  for (let k = 0; k < n; k++) mix(k * n + p, k * n + q);
  for (let k = 0; k < n; k++) mix(p * n + k, q * n + k);
}
