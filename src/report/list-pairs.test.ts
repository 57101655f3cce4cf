import { expect, it } from "vitest";

import { ALL_LISTED, listPairs, textOrder, TOP_TEXTS } from "./list-pairs.ts";
import type { RankedPairs } from "./ranked-pairs.ts";

/** N pairs, ranked by a first method and the other way round by a second. */
function ranked(n: number): RankedPairs {
  const ids = Array.from({ length: n }, (_, i) => `p${i}`);
  return {
    methods: [],
    ids,
    sources: [],
    norms: new Float32Array(n),
    isLowNorm: new Uint8Array(n),
    scores: [],
    ranks: [Int32Array.from(ids, (_, i) => i + 1), Int32Array.from(ids, (_, i) => n - i)],
    winners: [],
  };
}

it("lists all pairs of a small run", () => {
  expect(listPairs(ranked(ALL_LISTED))).toHaveLength(ALL_LISTED);
});

it("of a large run lists the top, the bottom, the top of other methods, and some between, each once in order", () => {
  const n = 378_339;
  const listed = listPairs(ranked(n));
  expect([...listed.slice(0, 3), listed[9_999]]).toEqual([0, 1, 2, 9_999]);
  expect(Array.from(listed.slice(-1_000))).toEqual(
    Array.from({ length: 1_000 }, (_, i) => n - 1_000 + i),
  );
  expect(listed).toHaveLength(15_000);
  expect(new Set(listed).size).toBe(15_000);
  expect(listed.every((at, i) => i === 0 || at > listed[i - 1]!)).toBe(true);
  const between = listed.filter((at) => at > 150_000 && at < 250_000).length;
  expect(between / 4_000).toBeGreaterThan(0.25);
});

it("gives text to the top first, then evenly to all others", () => {
  const order = textOrder(Uint32Array.from({ length: 9_000 }, (_, i) => i));
  expect(Array.from(order.slice(0, TOP_TEXTS))).toEqual(
    Array.from({ length: TOP_TEXTS }, (_, i) => i),
  );
  expect(new Set(order).size).toBe(9_000);
  const next = order.slice(TOP_TEXTS, TOP_TEXTS + 100).toSorted();
  const gaps = next.slice(1).map((at, i) => at - next[i]!);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(8_000 / 50);
});
