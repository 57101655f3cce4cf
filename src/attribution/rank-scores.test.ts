import { assert, float32Array, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { percentile, rankScores, ranksOf } from "./rank-scores.ts";

describe("rankScores", () => {
  it("sorts as a stable comparison does, whatever the floats", () => {
    assert(
      property(float32Array({ maxLength: 300 }), (scores) => {
        const place = (score: number): number => (Number.isNaN(score) ? -Infinity : score);
        const rows = [...scores.keys()];
        const scored = rows.filter((row) => !Number.isNaN(scores[row]!));
        const missing = rows.filter((row) => Number.isNaN(scores[row]!));
        const expected = scored.toSorted((a, b) => {
          const [x, y] = [place(scores[a]!), place(scores[b]!)];
          return x === y ? a - b : y > x ? 1 : -1;
        });
        const found = rankScores(scores);
        expect([...found.order]).toEqual([...expected, ...missing]);
        expect(found.scored).toBe(scored.length);
      }),
    );
  });

  it("ranks from 1, ties and both zeros by row, missing scores last", () => {
    const found = rankScores(Float32Array.of(-0, 2, Number.NaN, 0, -1, 2));
    expect([...found.order]).toEqual([1, 5, 0, 3, 4, 2]);
    expect([...ranksOf(found)]).toEqual([3, 1, 6, 4, 5, 2]);
  });
});

describe("percentile", () => {
  it("is the share of scored rows below", () => {
    expect([1, 2, 4].map((rank) => percentile(rank, 4))).toEqual([75, 50, 0]);
    expect(percentile(5, 4)).toBeUndefined();
  });
});
