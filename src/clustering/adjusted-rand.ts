/**
 * The adjusted Rand index of two partitions of the same items (Hubert and Arabie 1985), as sklearn.metrics.adjusted_rand_score: 1 where
 * they are the same, about 0 where they agree as by chance.
 *
 * Worked: [0, 0, 1, 1] and [0, 0, 1, 2] give 4/7 = 0.571.
 */
export function adjustedRand(a: readonly unknown[], b: readonly unknown[]): number {
  if (a.length !== b.length) throw new Error("internal: two partitions of unequal length");
  // Pairs of items: together in both, in neither, in one of them alone (Warrens 2008).
  const cells = [...countBy(a.map((label, i) => pairKey(a, label, b, b[i]))).values()];
  const squares = (counts: readonly number[]): number =>
    counts.reduce((sum, count) => sum + count * count, 0);
  const n = a.length;
  const both = squares(cells);
  const [rows, columns] = [squares([...countBy(a).values()]), squares([...countBy(b).values()])];
  const together = both - n;
  const [onlyA, onlyB] = [rows - both, columns - both];
  const apart = n * n - onlyA - onlyB - both;
  if (onlyA === 0 && onlyB === 0) return 1;
  const chance = (together + onlyA) * (onlyA + apart) + (together + onlyB) * (onlyB + apart);
  return (2 * (together * apart - onlyA * onlyB)) / chance;
}

function pairKey(
  a: readonly unknown[],
  labelA: unknown,
  b: readonly unknown[],
  labelB: unknown,
): string {
  return `${a.indexOf(labelA)} ${b.indexOf(labelB)}`;
}

function countBy(labels: readonly unknown[]): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
