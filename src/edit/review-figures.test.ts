import { describe, expect, it } from "vitest";

import type { DecisionKind } from "./decisions.ts";
import { agreementWithEdit, randomOrder, reviewedPrecision } from "./review-figures.ts";

const IDS = Array.from({ length: 300 }, (_, i) => `p${i}`);

const decided = (
  entries: readonly (readonly [string, DecisionKind | null])[],
): ReadonlyMap<string, { decision: DecisionKind | null }> =>
  new Map(entries.map(([id, decision]) => [id, { decision }]));

describe("the precision of a reviewed ranking", () => {
  it("is of the tops that were reviewed whole; unsure pairs are in no share", () => {
    const kinds: DecisionKind[] = [
      ...Array<DecisionKind>(6).fill("drop"),
      "swap",
      "keep",
      "keep",
      "unsure",
    ];
    const [first, ...others] = reviewedPrecision(
      IDS,
      decided(kinds.map((kind, i) => [`p${i}`, kind])),
    );
    expect(first).toMatchObject({ k: 10, basis: "all", reviewed: 10, unsure: 1 });
    expect(first!.precision).toMatchObject({ count: 7, of: 9, share: 7 / 9 });
    // As scipy.stats.binomtest(7, 9).proportion_ci(method="wilson") has it.
    expect(first!.precision.low).toBeCloseTo(0.452589, 5);
    expect(first!.precision.high).toBeCloseTo(0.936775, 5);
    expect(others).toEqual([]);
  });

  it("rests on the beginning of the random order elsewhere, and on nothing less", () => {
    const order = randomOrder(IDS.slice(0, 200));
    const some = order
      .slice(0, 40)
      .map((id) => [id, Number(id.slice(1)) < 50 ? "drop" : "keep"] as const);
    const found = reviewedPrecision(IDS, decided(some));
    const at = found.find(({ k }) => k === 200)!;
    const drops = some.filter(([, kind]) => kind === "drop").length;
    expect(at).toMatchObject({
      basis: "sample",
      reviewed: 40,
      precision: { count: drops, of: 40 },
    });
    expect(at.precision.low!).toBeLessThan(0.25);
    expect(at.precision.high!).toBeGreaterThan(0.25);
    // Thirty pairs of the top in the order of their ranks are no sample of the top 200.
    const top = reviewedPrecision(IDS, decided(IDS.slice(0, 30).map((id) => [id, "drop"])));
    expect(top.filter(({ k }) => k > 20)).toEqual([]);
    expect(reviewedPrecision(IDS, decided([["p0", null]]))).toEqual([]);
    // Nor are 19 of the top 20, best first, of which the random order happens to begin with 11.
    const nearly = reviewedPrecision(IDS, decided(IDS.slice(0, 19).map((id) => [id, "drop"])));
    expect(nearly.map(({ k, basis }) => [k, basis])).toEqual([[10, "all"]]);
    const more = reviewedPrecision(IDS, decided([...some, [order[60]!, "keep"]]));
    expect(more.find(({ k }) => k === 200)).toBeUndefined();
  });

  it("has a random order that is a permutation, the same every time, and fair", () => {
    const ids = IDS.slice(0, 20);
    expect(randomOrder(ids)).toEqual(randomOrder(ids));
    expect([...randomOrder(ids)].toSorted()).toEqual(ids.toSorted());
    // The mean place of the first third of the pairs is that of all.
    const places = IDS.map((id) => randomOrder(IDS).indexOf(id));
    const mean = places.slice(0, 100).reduce((sum, place) => sum + place, 0) / 100;
    expect(Math.abs(mean - 149.5)).toBeLessThan(4 * (300 / Math.sqrt(12 * 100)));
  });
});

it("counts where a review and an edit agree", () => {
  const decisions = decided([
    ...Array.from({ length: 8 }, (_, i) => [`p${i}`, "drop"] as const),
    ["p8", "keep"],
    ["p9", "keep"],
    ["p10", "drop"],
    ["p11", "unsure"],
  ]);
  const { taken, left, agreement } = agreementWithEdit(IDS.slice(0, 10), decisions);
  expect(taken).toEqual({ keep: 2, drop: 8, swap: 0, unsure: 0 });
  expect(left).toEqual({ keep: 0, drop: 1, swap: 0, unsure: 1 });
  expect(agreement).toMatchObject({ count: 8, of: 11 });
});
