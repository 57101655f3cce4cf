/** Counts as a plain object, the commonest first; equal counts stay in their order. */
export function commonestFirst(
  counts: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].toSorted((a, b) => b[1] - a[1]));
}
