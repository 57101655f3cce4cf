/** Index of the first of ascending values for which `holds` is true, by bisection; their number where there is none. */
export function firstIndex(
  ascending: ArrayLike<number>,
  holds: (value: number) => boolean,
): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(ascending[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
