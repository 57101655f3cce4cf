/** Counts as a plain object, the commonest first; equal counts stay in their order. */
export function commonestFirst(
  counts: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].toSorted((a, b) => b[1] - a[1]));
}

/** `unread: images 3, empty-side 1`; "" where there is nothing. */
export const listCounts = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
