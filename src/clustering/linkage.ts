import type { Distances } from "./condensed.ts";
import { rowStart } from "./condensed.ts";

/** How the distance of a merged cluster to others is made. */
export const LINKAGES = ["average", "ward"] as const;
export type Linkage = (typeof LINKAGES)[number];

/**
 * A tree over n items as SciPy writes it: merge k joins the clusters `left[k]` < `right[k]` at `height[k]` into cluster n + k of `size[k]`
 * items; clusters below n are single items. Heights never fall.
 */
export interface Tree {
  readonly n: number;
  /** [n - 1] */
  readonly left: Int32Array;
  /** [n - 1] */
  readonly right: Int32Array;
  /** [n - 1] */
  readonly height: Float64Array;
  /** [n - 1] */
  readonly size: Int32Array;
}

/**
 * Agglomerative clustering by the nearest-neighbour chain (Murtagh 1983; Müllner 2011, section 3.2): O(n²) time, and a copy of the
 * distances. Ward takes the distances as Euclidean ones (Lance and Williams' formula on their squares). Merges, heights and the choice
 * among ties are those of scipy.cluster.hierarchy.linkage, bit for bit: the chain begins at the lowest item, prefers the previous one
 * among equals, then the lowest, and merges are sorted by height, equal ones in the order of their making.
 *
 * Worked: of three items at distances 1 (0,1), 4 (0,2) and 2 (1,2), average linkage joins 0 and 1 at 1, and item 2 to both at 3.
 */
export function linkTree(distances: Distances, linkage: Linkage): Tree {
  const { n } = distances;
  const state: State = {
    n,
    d: distances.values.slice(),
    size: new Int32Array(n).fill(1),
    live: Int32Array.from({ length: n }, (_, i) => i),
    chain: new Int32Array(n),
    links: 0,
  };
  const merges: Merge[] = [];
  for (let left = n; left > 1; left--) merges.push(mergeNext(state, left, linkage));
  return labelMerges(n, merges);
}

interface Merge {
  readonly low: number;
  readonly high: number;
  readonly height: number;
}

interface State {
  readonly n: number;
  readonly d: Float64Array;
  /** 0: merged away. */
  readonly size: Int32Array;
  /** The clusters that are left, rising; as many as the caller says. */
  readonly live: Int32Array;
  readonly chain: Int32Array;
  links: number;
}

/** Follows the chain to two clusters that are each other's nearest, merges them into the higher one and takes both off the chain. */
function mergeNext(state: State, count: number, linkage: Linkage): Merge {
  const { live, chain } = state;
  if (state.links === 0) chain[state.links++] = live[0]!;
  for (;;) {
    const x = chain[state.links - 1]!;
    const previous = state.links > 1 ? chain[state.links - 2]! : -1;
    const { y, height } = nearestTo(state, x, previous, count);
    if (y !== previous) {
      chain[state.links++] = y;
      continue;
    }
    state.links -= 2;
    const merge = { low: Math.min(x, y), high: Math.max(x, y), height };
    join(state, merge, count, linkage);
    return merge;
  }
}

function nearestTo(
  { n, d, live }: State,
  x: number,
  previous: number,
  count: number,
): { readonly y: number; readonly height: number } {
  const xStart = rowStart(n, x);
  let y = previous;
  let height = Infinity;
  if (previous >= 0) {
    height = previous < x ? d[rowStart(n, previous) + x]! : d[xStart + previous]!;
  }
  for (let k = 0; k < count; k++) {
    const i = live[k]!;
    if (i === x) continue;
    const distance = i < x ? d[n * i - ((i * (i + 3)) >> 1) - 1 + x]! : d[xStart + i]!;
    if (distance < height) {
      height = distance;
      y = i;
    }
  }
  return { y, height };
}

function join(
  { n, d, size, live }: State,
  { low, high, height }: Merge,
  count: number,
  linkage: Linkage,
): void {
  const nx = size[low]!;
  const ny = size[high]!;
  const update = linkage === "average" ? averageDistance : wardDistance;
  size[low] = 0;
  size[high] = nx + ny;
  let kept = 0;
  for (let k = 0; k < count; k++) {
    const i = live[k]!;
    if (i === low) continue;
    live[kept++] = i;
    if (i === high) continue;
    const start = rowStart(n, i);
    const toLow = i < low ? start + low : rowStart(n, low) + i;
    const toHigh = i < high ? start + high : rowStart(n, high) + i;
    d[toHigh] = update(d[toLow]!, d[toHigh]!, height, nx, ny, size[i]!);
  }
}

type Update = (a: number, b: number, d: number, nx: number, ny: number, ni: number) => number;

const averageDistance: Update = (a, b, _d, nx, ny) => (nx * a + ny * b) / (nx + ny);

/** The order of the operations is SciPy's, so that rounding is. */
const wardDistance: Update = (a, b, d, nx, ny, ni) => {
  const t = 1 / (nx + ny + ni);
  return Math.sqrt((ni + nx) * t * a * a + (ni + ny) * t * b * b - ni * t * d * d);
};

/** Sorts by height and names clusters by their merges (union-find). */
function labelMerges(n: number, merges: readonly Merge[]): Tree {
  const sorted = merges.toSorted((a, b) => a.height - b.height); // stable
  const parent = Int32Array.from({ length: Math.max(0, 2 * n - 1) }, (_, i) => i);
  const sizes = new Int32Array(parent.length).fill(1);
  const find = (item: number): number => {
    let root = item;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = item; parent[at] !== root;) [at, parent[at]] = [parent[at]!, root];
    return root;
  };
  const tree = {
    n,
    left: new Int32Array(sorted.length),
    right: new Int32Array(sorted.length),
    height: Float64Array.from(sorted, ({ height }) => height),
    size: new Int32Array(sorted.length),
  };
  for (const [k, { low, high }] of sorted.entries()) {
    const [a, b] = [find(low), find(high)];
    tree.left[k] = Math.min(a, b);
    tree.right[k] = Math.max(a, b);
    tree.size[k] = sizes[a]! + sizes[b]!;
    sizes[n + k] = tree.size[k]!;
    parent[a] = n + k;
    parent[b] = n + k;
  }
  return tree;
}
