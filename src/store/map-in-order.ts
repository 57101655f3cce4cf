/** Enough to hide the latency of small reads, few enough to hold only a handful of files open. */
const AT_ONCE = 8;

/** `work(0)` to `work(count - 1)`, some at a time; results in order. The first failure ends it. */
export async function mapInOrder<T>(
  count: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (let first = 0; first < count; first += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - first);
    results.push(...(await Promise.all(Array.from({ length: size }, (_, i) => work(first + i)))));
  }
  return results;
}
