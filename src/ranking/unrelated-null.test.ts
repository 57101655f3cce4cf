import { describe, expect, it } from "vitest";

import type { SignalStatistics, SignalTail } from "../attribution/signal-statistics.ts";
import { compareUnrelated, explainTail, type UnrelatedComparison } from "./unrelated-null.ts";

const ROWS = 400;
const TOP = 40;
/** A tenth of the pairs where a hundredth is expected. */
const tail: SignalTail = { share: 0.1, expected: 0.01, excess: 9, threshold: 2 };

/** The behaviour's scores, falling with the row, beside those of an unrelated one, in whose own tail is a share of the pairs; default: no more than its null's. */
function beside(other: (row: number) => number, share = 0.01): UnrelatedComparison {
  const ofRows = (score: (row: number) => number): Float32Array =>
    Float32Array.from({ length: ROWS }, (_, row) => score(row));
  const own: SignalTail = { share, expected: 0.01, excess: 0, threshold: 2 };
  const signal: SignalStatistics = {
    shift: 0,
    spread: 1,
    largestNullShift: 1,
    tails: [own],
    largestNullExcess: 3,
  };
  const unrelated = { behavior: "other", doubt: undefined, cosine: 0, scores: ofRows(other) };
  const found = compareUnrelated(
    ofRows((row) => -row),
    { ...unrelated, null: undefined },
    [TOP],
  );
  return { ...found, signal };
}

describe("a tail held to an unrelated behaviour whose own tail is empty", () => {
  it("is explained by the pairs that both have at their top", () => {
    expect(
      explainTail(
        tail,
        ROWS,
        beside((row) => -row),
      ),
    ).toEqual({
      reason: '40 of these 40 are among the first 40 for "other" too',
      samePairs: true,
    });
  });

  it("is explained from half of its excess on, the pairs that chance gives taken off", () => {
    // The first `shared` pairs are at both tops, the rest of the other's top is from the end.
    const sharing = (shared: number): UnrelatedComparison =>
      beside((row) => (row < shared ? 1 : row >= ROWS - (TOP - shared) ? 1 : 0) - row / 1e4);
    const [found] = sharing(30).overlaps;
    expect(found).toEqual({ k: TOP, shared: 30, expected: (TOP * TOP) / ROWS, opposed: 10 });
    // Excess: 36 pairs; by chance: 4. Half is 18 beyond chance.
    expect(explainTail(tail, ROWS, sharing(23))?.reason).toMatch(/^23 of these 40/);
    expect(explainTail(tail, ROWS, sharing(21))).toBeUndefined();
  });

  it("stays where the two have other pairs at their tops", () => {
    expect(
      explainTail(
        tail,
        ROWS,
        beside((row) => row),
      ),
    ).toBeUndefined();
  });
});

describe("a tail held to an unrelated behaviour that has one as large", () => {
  const middle = (row: number): number => -Math.abs(row - ROWS / 2);

  it("is explained by it where that one's pairs are neither this one's top nor its bottom", () => {
    expect(explainTail(tail, ROWS, beside(middle, 0.1))).toEqual({
      reason: '"other" has 10.0% of them in the same tail',
      samePairs: false,
    });
  });

  it("stays where they are this behaviour's bottom, since that is the same axis", () => {
    expect(
      explainTail(
        tail,
        ROWS,
        beside((row) => row, 0.1),
      ),
    ).toBeUndefined();
  });

  it("counts those of them that are not at the bottom", () => {
    // The other's top is `aside` pairs of the middle and the rest of the bottom; half of the excess of 0.09 is 0.045.
    const with_ = (aside: number): UnrelatedComparison =>
      beside(
        (row) =>
          Math.abs(row - ROWS / 2) < aside / 2 ? 2 : row >= ROWS - (TOP - aside) ? 1 : -row / 1e4,
        0.1,
      );
    expect(with_(20).overlaps[0]).toMatchObject({ shared: 1, opposed: 20 });
    expect(explainTail(tail, ROWS, with_(24))).toBeDefined();
    expect(explainTail(tail, ROWS, with_(16))).toBeUndefined();
  });
});
