/**
 * The `q`-quantile of finite numbers, linearly interpolated between order statistics (Hyndman and Fan type 7, the default
 * of NumPy and R). `values` need not be sorted and is not changed; at least one value, q in [0, 1].
 */
export function quantile(values: ArrayLike<number>, q: number): number {
  return quantileOfAscending(Float64Array.from(values).toSorted(), q);
}

/** The same of values that are in order already: there may be many, and several quantiles wanted. */
export function quantileOfAscending(ascending: ArrayLike<number>, q: number): number {
  if (ascending.length === 0) throw new Error("internal: quantile of no values");
  if (!(q >= 0 && q <= 1)) throw new Error(`internal: quantile at ${q}`);
  const position = q * (ascending.length - 1);
  const below = Math.floor(position);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (position - below) * (high - low);
}
