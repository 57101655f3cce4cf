import { describe, expect, it } from "vitest";

import golden from "../../test/golden/ranking/statistics.json" with { type: "json" };
import { ratioInterval } from "../stats/ratio-interval.ts";
import { createRng } from "../util/rng.ts";
import { liftTables } from "./lift-table.ts";

describe("ratioInterval", () => {
  it.each(golden.ratios.map((each, i) => [i, each] as const))(
    "gives the score interval that SciPy finds numerically (case %i)",
    (_, { a, b, low, high }) => {
      const found = ratioInterval({ count: a[0]!, of: a[1]! }, { count: b[0]!, of: b[1]! })!;
      expect(Math.abs(found.low - low)).toBeLessThanOrEqual(1e-5 * low);
      // JSON has no infinity; 1 / high has room for it.
      const inverse = high === null ? 0 : 1 / high;
      expect(Math.abs(1 / found.high - inverse)).toBeLessThanOrEqual(1e-5 * inverse);
    },
  );

  it("has no value without any success, or with an empty side", () => {
    expect(ratioInterval({ count: 0, of: 5 }, { count: 0, of: 9 })).toBeUndefined();
    expect(ratioInterval({ count: 0, of: 0 }, { count: 3, of: 9 })).toBeUndefined();
  });

  it("contains 1 where every trial of both sides succeeds", () => {
    const { low, high } = ratioInterval({ count: 8, of: 8 }, { count: 9, of: 9 })!;
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(1);
  });
});

describe("liftTables", () => {
  const groups = ["a", "a", "b", "b", "b", "b", "a", "c", "c", "c"];
  const order = [0, 1, 2, 6, 3, 4, 5, 7, 8, 9];

  it("counts groups in the top and in all", () => {
    const [table] = liftTables(groups, order, [4]);
    const { k, n, rows } = table!;
    expect([k, n]).toEqual([4, 10]);
    expect(rows.map(({ group, inTop, inAll, lift }) => ({ group, inTop, inAll, lift }))).toEqual([
      { group: "a", inTop: 3, inAll: 3, lift: 2.5 },
      { group: "b", inTop: 1, inAll: 4, lift: 0.625 },
      { group: "c", inTop: 0, inAll: 3, lift: 0 },
    ]);
    const [a, b, c] = rows;
    // All of a is in the top: no lift is higher than 10/4.
    expect(a!.high).toBe(2.5);
    // Three of three in the top 4 of 10 happen by chance too often to say more.
    expect(a!.low).toBeLessThan(1);
    expect(b!.low).toBeLessThan(b!.lift);
    expect(c!.low).toBe(0);
    expect(c!.high).toBeGreaterThan(0);
  });

  it("does not call a group of one pair over-represented because that pair is on top", () => {
    const sources = Array.from({ length: 20 }, (_, row) => (row === 0 ? "lone" : "rest"));
    const rows = Array.from({ length: 20 }, (_, row) => row);
    const lone = liftTables(sources, rows, [3])[0]!.rows.find(({ group }) => group === "lone")!;
    expect(lone.lift).toBeCloseTo(20 / 3, 10);
    expect(lone.low).toBeLessThan(1);
  });

  it("leaves unranked rows out", () => {
    const [table] = liftTables(groups, order.slice(0, 7), [2]);
    expect(table!.n).toBe(7);
    expect(table!.rows.map(({ group }) => group)).not.toContain("c");
  });

  it("is certain of 1 for a top that is everything and a group that is everything", () => {
    for (const table of [
      liftTables(groups, order, [10])[0]!,
      liftTables(["x", "x", "x"], [0, 2, 1], [1])[0]!,
    ]) {
      for (const { lift, low, high } of table.rows) expect([lift, low, high]).toEqual([1, 1, 1]);
    }
  });

  it.each([
    [0.3, 0.1, 60],
    [0.1, 0.1, 60],
    [0.02, 0.02, 200],
    [0.5, 0.05, 30],
  ])(
    "covers the true lift in at least about 95 of 100 samples (rates %d and %d, top %i)",
    (top, rest, k) => {
      const [n, samples] = [1000, 1500];
      const rng = createRng(6);
      const truth = top / ((k / n) * top + (1 - k / n) * rest);
      const rows = Array.from({ length: n }, (_, row) => row);
      let covered = 0;
      for (let sample = 0; sample < samples; sample++) {
        const drawn = rows.map((row) => (rng.uniform() < (row < k ? top : rest) ? "in" : "out"));
        const found = liftTables(drawn, rows, [k])[0]!.rows.find(({ group }) => group === "in");
        if (found !== undefined && found.low <= truth && truth <= found.high) covered++;
      }
      expect(covered / samples).toBeGreaterThan(0.93);
      expect(covered / samples).toBeLessThan(0.998);
    },
  );
});
