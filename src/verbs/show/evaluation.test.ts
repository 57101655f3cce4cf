import { expect, test } from "vitest";

import type { Verdict } from "../../judge/verdict.ts";
import { evaluateArms } from "../../rates/evaluate-arms.ts";
import { formatEvaluation } from "./evaluation.ts";

/** Ten scenarios of four rollouts, the first `shows` of all of them showing the behaviour. */
const verdicts = (shows: number): Verdict[] =>
  Array.from({ length: 40 }, (_, i) => ({
    rollout: `${i}`,
    scenario: `s${i % 10}`,
    variant: "base",
    sample: Math.floor(i / 10),
    label: i < shows ? "shows" : "not",
  }));

test("a rate that rose for certain has no reduction", () => {
  const arm = (name: string, shows: number) => ({
    name,
    runs: [{ seed: "0", verdicts: verdicts(shows), measures: {} }],
  });
  const evaluation = evaluateArms([arm("before", 2), arm("after", 38), arm("same", 3)], {
    baseline: "before",
  });
  const text = formatEvaluation(evaluation);
  expect(text).toMatch(/^after .*\+90\.0 .* a rise$/m);
  expect(text).toMatch(/^same .*-50% \[.*\]$/m);
});
