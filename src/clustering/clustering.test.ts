import { describe, expect, it } from "vitest";

import golden from "../../test/golden/clustering/clustering.json" with { type: "json" };
import { createRng } from "../util/rng.ts";
import { adjustedRand } from "./adjusted-rand.ts";
import { clusterStability } from "./cluster-stability.ts";
import { type Distances, distancesBy, euclideanDistances } from "./condensed.ts";
import { cutTree, numberByFirst } from "./cut-tree.ts";
import { orderCost, orderLeaves } from "./leaf-order.ts";
import { LINKAGES, linkTree, type Tree } from "./linkage.ts";
import { meanSilhouette, rankClusterCounts, silhouettes } from "./silhouette.ts";

const cases = golden.cases.map(({ rows, ...each }) => ({
  ...each,
  n: rows.length,
  own: euclideanDistances(rows.flat(), rows.length, rows[0]!.length),
}));
const trees = cases.flatMap((each) =>
  LINKAGES.map((linkage) => ({ ...each, linkage, tree: linkTree(each.own, linkage) })),
);

describe("euclideanDistances", () => {
  const given = cases.filter(({ distances }) => distances !== null);

  it.each(given)("are SciPy's bit for bit ($n items)", ({ own, distances }) => {
    expect([...own.values]).toEqual(distances);
  });

  it("are refused for more items than memory holds", () => {
    expect(() => distancesBy(20_001, () => 0)).toThrow(/at most 20000 items, got 20001/);
  });
});

describe("linkTree", () => {
  it.each(trees)(
    "gives SciPy's merges and heights bit for bit, ties included ($n items, $linkage)",
    ({ linkage, tree, trees: expected }) => {
      const merges = [...tree.left].map((low, k) => [low, tree.right[k], tree.size[k]]);
      expect(merges).toEqual(expected[linkage].merges);
      expect([...tree.height]).toEqual(expected[linkage].heights);
    },
  );

  it("leaves the distances as they were", () => {
    const { own } = cases[3]!;
    const before = own.values.slice();
    linkTree(own, "ward");
    expect(own.values).toEqual(before);
  });

  it("has no merges for one item", () => {
    expect(linkTree({ n: 1, values: new Float64Array(0) }, "average").left).toHaveLength(0);
  });

  it("joins the items of the worked example at 1 and 3", () => {
    const tree = linkTree({ n: 3, values: Float64Array.of(1, 4, 2) }, "average");
    expect([...tree.height]).toEqual([1, 3]);
  });
});

describe("cutTree and silhouettes", () => {
  const cuts = trees.flatMap(({ trees: expected, linkage, ...each }) =>
    Object.entries(expected[linkage].cuts).map(([count, cut]) => ({
      ...each,
      linkage,
      count: Number(count),
      cut,
    })),
  );

  it.each(cuts)(
    "give SciPy's partition and scikit-learn's values ($n items, $linkage, $count clusters)",
    ({ own, tree, count, cut }) => {
      const labels = cutTree(tree, count);
      expect([...labels]).toEqual([...numberByFirst(cut.labels)]);
      const values = silhouettes(own, labels);
      for (const [i, value] of cut.samples.entries()) expect(values[i]).toBeCloseTo(value, 12);
      expect(meanSilhouette(own, labels)).toBeCloseTo(cut.silhouette, 12);
    },
  );

  it("find the number of groups that are far apart", () => {
    const rng = createRng(3);
    const rows = Float64Array.from({ length: 60 }, (_, i) => 20 * (i % 4) + rng.normal());
    const own = euclideanDistances(rows, 60, 1);
    const [best] = rankClusterCounts(linkTree(own, "average"), own, 10);
    expect(best?.clusters).toBe(4);
    expect(best?.silhouette).toBeGreaterThan(0.8);
  });

  it("give the worked example's values", () => {
    const own = euclideanDistances([0, 1, 5], 3, 1);
    expect([...silhouettes(own, [0, 0, 1])]).toEqual([0.8, 0.75, 0]);
  });
});

describe("orderLeaves", () => {
  /** The least cost over every way of turning the two parts of each merge round. */
  function leastCost({ n, left, right }: Tree, distances: Distances): number {
    let least = Infinity;
    for (let turns = 0; turns < 2 ** (n - 1); turns++) {
      const orders: number[][] = Array.from({ length: n }, (_, i) => [i]);
      for (let k = 0; k < n - 1; k++) {
        const [a, b] = [orders[left[k]!]!, orders[right[k]!]!];
        orders.push((turns >> k) & 1 ? [...b, ...a] : [...a, ...b]);
      }
      least = Math.min(least, orderCost(orders.at(-1)!, distances));
    }
    return least;
  }

  /** Whether every cluster's items stand side by side. */
  function isAllowed({ n, left, right, size }: Tree, order: ArrayLike<number>): boolean {
    const places = new Int32Array(n);
    for (let i = 0; i < n; i++) places[order[i]!] = i;
    const ranges = [...places].map((place): [number, number] => [place, place]);
    return [...size].every((count, k) => {
      const [a, b] = [ranges[left[k]!]!, ranges[right[k]!]!];
      const range: [number, number] = [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
      ranges.push(range);
      return range[1] - range[0] + 1 === count;
    });
  }

  /** The left part of each merge before the right one. */
  function plainOrder({ n, left, right }: Tree): readonly number[] {
    const orders: number[][] = Array.from({ length: n }, (_, i) => [i]);
    for (let k = 0; k < n - 1; k++) orders.push([...orders[left[k]!]!, ...orders[right[k]!]!]);
    return orders.at(-1)!;
  }

  const rng = createRng(11);
  const small = Array.from({ length: 120 }, (_, c) => {
    const n = 2 + (c % 9);
    const isTied = c % 3 === 0;
    const distances = distancesBy(n, () => (isTied ? 1 + rng.integer(3) : rng.uniform()));
    return { n, c, distances, tree: linkTree(distances, LINKAGES[c % 2]!) };
  });

  it("costs as little as the best of all orders that the tree allows, up to 10 items", () => {
    for (const { tree, distances } of small) {
      const order = orderLeaves(tree, distances);
      expect(isAllowed(tree, order)).toBe(true);
      expect(orderCost(order, distances)).toBeCloseTo(leastCost(tree, distances), 12);
    }
  });

  it("keeps the clusters of larger trees together, and costs no more than the plain order", () => {
    let saved = 0;
    for (const { tree, own, n } of trees) {
      const order = orderLeaves(tree, own);
      expect(isAllowed(tree, order)).toBe(true);
      expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      const [cost, plain] = [order, plainOrder(tree)].map((each) => orderCost(each, own));
      expect(cost).toBeLessThanOrEqual(plain! * (1 + 1e-12)); // sums in another order
      saved += plain! - cost!;
    }
    expect(saved).toBeGreaterThan(0);
  });

  it("gives the worked example's order", () => {
    const own = euclideanDistances([0, 10, 1, 11], 4, 1);
    expect([...orderLeaves(linkTree(own, "average"), own)]).toEqual([0, 2, 1, 3]);
  });

  it("is not stopped by a tree as deep as it has leaves", () => {
    const own = euclideanDistances(
      Array.from({ length: 300 }, (_, i) => 1.02 ** i),
      300,
      1,
    );
    const order = orderLeaves(linkTree(own, "average"), own);
    expect(orderCost(order, own)).toBeCloseTo(1.02 ** 299 - 1, 9);
  });
});

describe("adjustedRand", () => {
  it.each(golden.rand)("is scikit-learn's ($index)", ({ a, b, index }) => {
    expect(adjustedRand(a, b)).toBeCloseTo(index, 12);
  });
});

describe("clusterStability", () => {
  const line = (gap: number): Distances => {
    const rng = createRng(8);
    return euclideanDistances(
      Array.from({ length: 80 }, (_, i) => gap * (i % 2) + rng.normal()),
      80,
      1,
    );
  };
  const stabilityOf = (distances: Distances, count: number): Float64Array =>
    clusterStability(distances, cutTree(linkTree(distances, "ward"), count), {
      linkage: "ward",
      rng: createRng(1),
      replicates: 40,
    });

  it("is that of the worked example", () => {
    const own = euclideanDistances([0, 1, 10, 11], 4, 1);
    const options = { linkage: "average", rng: createRng(1), replicates: 20_000 } as const;
    for (const each of clusterStability(own, Int32Array.of(0, 0, 1, 1), options)) {
      expect(each).toBeCloseTo(231 / 238, 2);
    }
  });

  it("is 1 for groups far apart and low where there are none", () => {
    expect([...stabilityOf(line(100), 2)]).toEqual([1, 1]);
    const loose = stabilityOf(line(0), 6);
    expect(Math.min(...loose)).toBeLessThan(0.7);
  });
});
