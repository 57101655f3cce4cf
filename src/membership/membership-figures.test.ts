import { expect, it } from "vitest";

import type { MeasuredPair } from "./measure-pairs.ts";
import { membershipFigures } from "./membership-figures.ts";

it("gives the worked example's figures", () => {
  const pair = (prompt: string, chosenDrift: number, rejectedDrift: number): MeasuredPair => ({
    id: "p",
    row: 0,
    prompt,
    columns: {},
    chosenTokens: 10,
    rejectedTokens: 10,
    chosenBefore: -20,
    rejectedBefore: -20,
    chosenDrift,
    rejectedDrift,
    ches: 0,
    chesNormalised: 0,
  });
  const found = membershipFigures([pair("a", 1, 0), pair("a", 1, -2), pair("b", -1, -6)]);
  expect([found.pairs, found.prompts]).toEqual([3, 2]);
  const { value, low, high } = found.margin;
  expect([value, low!.toFixed(1), high!.toFixed(1)]).toEqual([3, "-13.9", "19.9"]);
  expect(found.accuracy.value).toBe(1);
  expect(found.accuracy.low).toBeCloseTo(0.0122, 4);
  expect(found.displaced.value).toBeCloseTo(1 / 3, 12);
  expect(found.chosen.perResponse.value).toBeCloseTo(1 / 3, 12);
  expect(found.chosen.perToken.value).toBeCloseTo(1 / 30, 12);
});
