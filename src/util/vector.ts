/** @file Plain vector arithmetic in double precision. */

/** The inner product; both sides have the same length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The arithmetic mean; NaN of none. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The Euclidean length. */
export function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

/** The cosine of the angle, or undefined where a side has no direction because its length is zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  const lengths = norm(a) * norm(b);
  return lengths > 0 ? dot(a, b) / lengths : undefined;
}
