/** @file The coverage that intervals can have at all, where what is counted is rare. */

/** How often each number came. */
export class Counter {
  readonly counts: number[] = [];
  total = 0;

  add(value: number): void {
    this.counts[value] = (this.counts[value] ?? 0) + 1;
    this.total++;
  }
}

/**
 * An interval whose ends rise with a number holds the truth for a contiguous set of numbers. The share of experiments in the set that is nearest to 95%, over
 * the numbers given.
 */
export function attainable(...numbers: readonly Counter[]): number {
  let best = 0;
  for (const { counts, total } of numbers) {
    let [to, inside] = [0, 0];
    const compare = (): void => {
      if (Math.abs(inside / total - 0.95) < Math.abs(best - 0.95)) best = inside / total;
    };
    for (let from = 0; from < counts.length; from++) {
      while (to < counts.length && inside < 0.95 * total) {
        compare();
        inside += counts[to++] ?? 0;
      }
      compare();
      inside -= counts[from] ?? 0;
    }
  }
  return best;
}
