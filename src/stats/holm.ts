/**
 * p-values adjusted for their number (Holm 1979), in the order given: the chance of any false one stays below what they say.
 *
 * Worked: 0.03, 0.01 and 0.04 become 0.06, 0.03 and 0.06: the smallest times 3, the next times 2, and none below one that is smaller.
 */
export function holm(ps: readonly number[]): readonly number[] {
  const order = ps.map((_, i) => i).toSorted((a, b) => ps[a]! - ps[b]!);
  const adjusted = Array<number>(ps.length);
  let largest = 0;
  for (const [place, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (ps.length - place) * ps[i]!));
    adjusted[i] = largest;
  }
  return adjusted;
}
