import { expect, it } from "vitest";

import { formatResult } from "../src/cli/result-table.ts";
import type { Verdict } from "../src/judge/verdict.ts";
import { conditionRates, missingByCause } from "../src/rates/condition-rates.ts";
import { concludeExperiment } from "../src/report/conclusions.ts";
import type { ExperimentResult, FilteredScenarios } from "../src/runs/result.ts";

/** Ten scenarios of a variant, in each as many rollouts: `s` shows, `n` does not, `?` has no verdict. */
const verdicts = (variant: string, letters: string): Verdict[] =>
  Array.from({ length: 10 }, (_, i) => `${i}`).flatMap((scenario) =>
    letters.split("").map((letter, sample): Verdict => {
      const place = { rollout: `${scenario}/${variant}/${sample}`, scenario, variant, sample };
      if (letter === "?") return { ...place, missing: "empty answer" };
      return { ...place, label: letter === "s" ? "shows" : "not" };
    }),
  );

const RATES = conditionRates({
  before: [...verdicts("base", "nn"), ...verdicts("base+distractor", "ns")],
  after: [...verdicts("base", "nn"), ...verdicts("base+distractor", "ss?")],
});

it("has the later checkpoint's rate minus the earlier one's in each variant, with an interval", () => {
  const [base, triggered] = RATES.changes;
  expect([base!.variant, base!.difference, base!.p]).toEqual(["base", 0, 1]);
  expect([triggered!.variant, triggered!.difference]).toEqual(["base+distractor", 0.5]);
  expect(triggered!.low).toBeGreaterThan(0);
  expect(triggered!.low).toBeLessThan(0.5);
  expect(triggered!.high).toBeGreaterThan(triggered!.low);
});

it("has no difference where a checkpoint has no verdict in a variant", () => {
  const { changes, conditions } = conditionRates({
    before: verdicts("base", "??"),
    after: verdicts("base", "ns"),
  });
  expect(changes).toEqual([]);
  expect(conditions).toHaveLength(2);
  expect(conditions[0]).toMatchObject({ checkpoint: "before", variant: "base", missing: 20 });
  expect(conditions[0]!.rate).toMatchObject({ judged: 0, rate: undefined });
});

it("counts missing verdicts by cause in the variants of the filter alone", () => {
  expect(missingByCause(RATES.conditions, ["base+distractor"])).toEqual({ "empty answer": 10 });
  expect(missingByCause(RATES.conditions, ["base"])).toEqual({});
});

const WHOLE: FilteredScenarios = {
  kept: 38,
  dropped: 2,
  unknown: 0,
  of: 40,
  missing: 0,
  causes: {},
};

/** A result without arms. */
const result = (scenarios: FilteredScenarios): ExperimentResult => ({
  format: "culprit-result",
  version: 1,
  name: "mine",
  behavior: "b",
  pairs: 9,
  probe: {
    layer: 2,
    layerReason: "named",
    responsePairs: 3,
    prompts: 2,
    scenarios,
    rates: RATES,
  },
  methods: [],
  seeds: [],
  edits: [],
  conclusions: [],
});

it("shows in the table what a judge that broke left undecided, and concludes what to do", () => {
  const broken = {
    ...WHOLE,
    kept: 10,
    unknown: 28,
    missing: 45,
    causes: { "empty answer": 40, unreadable: 5 },
  };
  expect(formatResult(result(broken))).toContain(
    "10 of 40 scenarios passed the four conditions, 2 dropped, 28 unknown: 45 verdicts missing (40 empty answer, 5 unreadable)\n",
  );
  expect(concludeExperiment(result(broken))).toEqual([
    expect.stringMatching(
      /^Of 28 of 40 scenarios it is unknown .* \(45 in all\).*--force-stage judge-before,judge-after/,
    ),
  ]);
  expect(formatResult(result(WHOLE))).toContain("38 of 40 scenarios passed the four conditions\n");
  expect(concludeExperiment(result(WHOLE))).toEqual([]);
});

it("shows in the table how often each checkpoint shows the behaviour", () => {
  expect(formatResult(result(WHOLE))).toMatch(
    /^base\+distractor +50\.0% \[.*\] +100\.0% \[.*\] +\+50\.0 \[\+.*\] +20 \/ 20 +0 \/ 10$/m,
  );
});
