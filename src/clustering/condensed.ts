/** @file Distances between n items in condensed form: the upper triangle row by row, [n (n - 1) / 2] in double precision, as SciPy's pdist. */
import { ConfigError } from "../util/errors.ts";

/** All distances between `n` items; `values` holds those of (0,1), (0,2), …, (0,n-1), (1,2), …. */
export interface Distances {
  readonly n: number;
  readonly values: Float64Array;
}

/** Items whose distances are held at most: 20,000 take 1.6 GB. */
export const MAX_ITEMS = 20_000;

/** How many distances there are between n items. */
export const pairCount = (n: number): number => (n * (n - 1)) / 2;

/** Where row i begins, less i + 1: the distance of i and j > i is at `rowStart(n, i) + j`. */
export const rowStart = (n: number, i: number): number => n * i - ((i * (i + 3)) >> 1) - 1;

/** The distance of two items; 0 of an item to itself. */
export function distanceOf({ n, values }: Distances, i: number, j: number): number {
  if (i === j) return 0;
  return i < j ? values[rowStart(n, i) + j]! : values[rowStart(n, j) + i]!;
}

/** Every distance by a function of two items, i < j. Throws ConfigError above MAX_ITEMS items. */
export function distancesBy(n: number, between: (i: number, j: number) => number): Distances {
  if (n > MAX_ITEMS) {
    throw new ConfigError(`clustering: expected at most ${MAX_ITEMS} items, got ${n}`, {
      hint: "Cluster a sample of them, and assign the others to its clusters.",
    });
  }
  const values = new Float64Array(pairCount(n));
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) values[at++] = between(i, j);
  return { n, values };
}

/** Euclidean distances between the rows of a matrix [n, width]. */
export function euclideanDistances(rows: ArrayLike<number>, n: number, width: number): Distances {
  return distancesBy(n, (i, j) => {
    let sum = 0;
    const [a, b] = [i * width, j * width];
    for (let k = 0; k < width; k++) sum += (rows[a + k]! - rows[b + k]!) ** 2;
    return Math.sqrt(sum);
  });
}

/** The distances among some items, in their order. */
export function distancesAmong(distances: Distances, items: readonly number[]): Distances {
  return distancesBy(items.length, (i, j) => distanceOf(distances, items[i]!, items[j]!));
}
