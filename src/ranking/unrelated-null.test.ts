import { describe, expect, it } from "vitest";

import type { SignalStatistics, SignalTail } from "../attribution/signal-statistics.ts";
import { compareUnrelated, explainTail, type UnrelatedComparison } from "./unrelated-null.ts";

const ROWS = 400;
const TOP = 40;
/** A tenth of the pairs where a hundredth is expected. */
const tail: SignalTail = { share: 0.1, expected: 0.01, excess: 9, threshold: 2 };

/** The behaviour's scores beside those of an unrelated one, whose own tail has nothing beyond its null's. */
function beside(other: (row: number) => number): UnrelatedComparison {
  const ofRows = (score: (row: number) => number): Float32Array =>
    Float32Array.from({ length: ROWS }, (_, row) => score(row));
  const quiet: SignalTail = { share: 0.01, expected: 0.01, excess: 0, threshold: 2 };
  const signal: SignalStatistics = {
    shift: 0,
    spread: 1,
    largestNullShift: 1,
    tails: [quiet],
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
    ).toBe('40 of these 40 are among the first 40 for "other" too');
  });

  it("is explained from half of its excess on, the pairs that chance gives taken off", () => {
    // The first `shared` pairs are at both tops, the rest of the other's top is from the end.
    const sharing = (shared: number): UnrelatedComparison =>
      beside((row) => (row < shared ? 1 : row >= ROWS - (TOP - shared) ? 1 : 0) - row / 1e4);
    const [found] = sharing(30).overlaps;
    expect(found).toEqual({ k: TOP, shared: 30, expected: (TOP * TOP) / ROWS });
    // Excess: 36 pairs; by chance: 4. Half is 18 beyond chance.
    expect(explainTail(tail, ROWS, sharing(23))).toMatch(/^23 of these 40/);
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
