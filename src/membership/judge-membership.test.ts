import { expect, test } from "vitest";

import type { Separation } from "../pairs/audit-membership.ts";
import { clusteredMean, clusteredShare, shareDifference } from "../stats/clustered-mean.ts";
import { judgeMembership, type MembershipEvidence } from "./judge-membership.ts";

const around = (value: number, half = 0.03): Separation => ({
  value,
  low: value - half,
  high: value + half,
});

const judge = (
  accuracies: readonly [claimed: Separation, heldOut: Separation],
  margins: readonly [whole: Separation, perToken: Separation],
  length = around(0.5),
): ReturnType<typeof judgeMembership> =>
  judgeMembership({
    claimed: { accuracy: accuracies[0] },
    heldOut: { accuracy: accuracies[1] },
    comparison: {
      separation: margins[0],
      separationPerToken: margins[1],
      kind: [{ feature: "chosen length", ...length }],
    },
  });

const twice = (each: Separation): readonly [Separation, Separation] => [each, each];

test("larger margins on the claimed pairs than on held-out ones are a model that was trained on them", () => {
  const found = judge([around(0.93), around(0.55)], twice(around(0.8)));
  expect(found.kind).toBe("trained");
  expect(found.sentence).toBe(
    "M1 prefers the chosen response in 93.0% [90.0%, 96.0%] of the claimed pairs and in 55.0% [52.0%, 58.0%] of the held-out ones, by larger margins in the claimed ones (AUROC of the margins 0.800 [0.770, 0.830]): it was trained on them, or on a part of them.",
  );
  expect(judge(twice(around(0.9)), twice(around(0.6))).kind).toBe("trained");
});

test("the rejected side preferred by larger margins is the same with exchanged labels", () => {
  const { kind, sentence } = judge([around(0.07), around(0.45)], twice(around(0.2)));
  expect(kind).toBe("swapped");
  expect(sentence).toContain("prefers the rejected response in 93.0% [90.0%, 96.0%]");
  expect(sentence).toContain(
    "with chosen and rejected exchanged, or before and after given the wrong way round",
  );
});

test("margins alike are taste where both sides are preferred, and no sign where neither is", () => {
  expect(judge(twice(around(0.9)), twice(around(0.51))).kind).toBe("taste");
  expect(judge(twice(around(0.5)), twice(around(0.49))).kind).toBe("none");
});

test("what could be chance, length or another kind of pairs is no verdict", () => {
  const wide = around(0.5, 0.2);
  const cases: readonly (readonly [ReturnType<typeof judge>, RegExp])[] = [
    [judge(twice(around(0.9)), twice(wide)), /too few pairs/],
    [judge(twice(around(0.9)), [around(0.6), around(0.5)]), /tokens disagree/],
    [judge(twice(around(0.9)), twice(around(0.6)), around(0.35)), /chosen length alone tells/],
    [judge(twice(around(0.5)), twice(around(0.6))), /the margins alone differ/],
    [judge([around(0.9), around(0.5)], twice(around(0.5))), /can't tell/],
  ];
  for (const [{ kind, sentence }, why] of cases) {
    expect(kind).toBe("unclear");
    expect(sentence).toMatch(why);
  }
});

test("without held-out pairs the verdict says that one side alone is known", () => {
  const alone = (accuracy: MembershipEvidence["claimed"]["accuracy"]): string =>
    Object.values(judgeMembership({ claimed: { accuracy } })).join(": ");
  expect(alone(around(0.93))).toMatch(/^unclear: .*only the claimed side is known: can't tell/);
  expect(alone(around(0.07))).toMatch(/^unclear: .*chosen and rejected exchanged/);
  expect(alone(around(0.5))).toMatch(/^none: .*no sign/);
  expect(alone(around(0.5, 0.2))).toMatch(/^unclear: .*too few pairs/);
  expect(alone({ value: 1 })).toMatch(/^unclear/);
});

test("means and shares of groups have the intervals of their docstrings", () => {
  const { value, low, high } = clusteredMean([1, 3, 5], [0, 0, 1]);
  expect([value, low?.toFixed(1), high?.toFixed(1)]).toEqual([3, "-13.9", "19.9"]);
  expect(clusteredMean([2, 4], [7, 7])).toEqual({ value: 3 });
  expect(clusteredShare([1, 1, 1], [0, 1, 2]).low).toBeCloseTo(0.139, 3);
  // Repeats of a prompt add nothing where they agree.
  const once = clusteredShare([1, 0, 1, 1], [0, 1, 2, 3]);
  const thrice = clusteredShare(
    [1, 0, 1, 1].flatMap((each) => [each, each, each]),
    [0, 1, 2, 3].flatMap((each) => [each, each, each]),
  );
  expect(thrice.low).toBeCloseTo(once.low!, 10);
  const wilson = [
    { value: 56 / 70, low: 0.6923, high: 0.8769 },
    { value: 48 / 80, low: 0.4904, high: 0.7004 },
  ] as const;
  const difference = shareDifference(...wilson);
  expect(difference.low).toBeCloseTo(0.0524, 3);
  expect(difference.high).toBeCloseTo(0.3339, 3);
});
