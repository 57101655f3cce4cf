import { expect, it } from "vitest";

import type { ExperimentResult } from "../runs/result.ts";
import type { LayerTable } from "../steering/layer-table.ts";
import { concludeExperiment, tellConclusions } from "./conclusions.ts";

const result = (choice: LayerTable["choice"] | undefined): ExperimentResult =>
  ({
    probe: { layer: 2, layerReason: "named in the experiment file", prompts: 40 },
    methods: [],
    edits: [],
    ...(choice === undefined ? {} : { layerTable: { rows: [], choice } }),
  }) as unknown as ExperimentResult; // what the conclusions of a result without arms read

it("says which unrelated behaviour the verdict was not held to", () => {
  const verdict = {
    notHeldTo: [{ behavior: "drift", reason: "not stable at this layer (noise)" }],
  };
  expect(
    concludeExperiment({
      ...result(undefined),
      methods: [{ verdict }],
    } as unknown as ExperimentResult),
  ).toEqual([
    expect.stringMatching(
      /^The verdict was not held to drift: not stable at this layer \(noise\)\./,
    ),
  ]);
});

it("says which directions projected out are not stable", () => {
  const { probe, ...rest } = result(undefined);
  const doubted = { ...probe, nuisanceDoubts: ["layer 2: the direction of tag:one is not stable"] };
  expect(concludeExperiment({ ...rest, probe: doubted })).toEqual([
    "Projected out at layer 2: the direction of tag:one is not stable.",
  ]);
});

it("says where steering speaks for another layer than that of the ranking, and is silent where it does not", () => {
  const chosen = { kind: "chosen", layer: 4, reason: "split-half 0.9" } as const;
  expect(concludeExperiment(result(chosen))).toEqual([
    "With steering layer 4 is chosen (split-half 0.9); the ranking is at layer 2 (named in the experiment file). To rank at the other, set rank.layer.",
  ]);
  expect(concludeExperiment(result({ ...chosen, layer: 2 }))).toEqual([]);
  expect(concludeExperiment(result({ kind: "none", reason: "no layer is stable" }))).toEqual([]);
  expect(concludeExperiment(result(undefined))).toEqual([]);
});

it("tells n of the figures in reasons, and of those in sentences of another version where they are", () => {
  const of = (found: object, sentence: string): readonly (readonly [string, string])[] =>
    tellConclusions({
      ...result(undefined),
      ...found,
      conclusions: [sentence],
    }).flatMap(({ sentence: shown, figures }) => {
      expect(shown).toBe(sentence);
      return figures.map(({ text, tells }) => [text, tells] as const);
    });
  const doubt = "halves of the prompts agree with a mean cosine of 0.31, below 0.5";
  const probe = { layer: 2, layerReason: "split-half 0.7", prompts: 40, doubt };
  expect(
    of(
      { probe },
      `The behaviour's vector is not stable (${doubt}): the ranking is evidence of nothing.`,
    ),
  ).toEqual([["0.31", expect.stringMatching(/^n 40 prompts; /)]]);
  expect(
    of({}, "In 1.0.2 the rate of 12 models fell by 3.5 [1.0, 6.0] to 20% (p < 0.001)."),
  ).toEqual([
    ["3.5 [1.0, 6.0]", "95% [1.0, 6.0], n stands in result.json"],
    ["20%", expect.stringMatching(/^another version of culprit wrote this/)],
    ["p < 0.001", expect.stringMatching(/^another version of culprit wrote this/)],
  ]);
});

it("says where steering was measured on what the behaviour was made from", () => {
  const steering = (shared: number | undefined): ExperimentResult =>
    ({
      ...result(undefined),
      steering: [{ mode: "add", layers: [], scenarios: 8, ...(shared && { shared }) }],
    }) as unknown as ExperimentResult; // what the conclusions about steering read
  expect(concludeExperiment(steering(undefined))).toEqual([]);
  expect(concludeExperiment(steering(5))).toEqual([
    expect.stringMatching(/^Adding .* on 5 of 8 scenarios that the behaviour was made from, /),
  ]);
});

/** An edit that tells, after so many training seeds; of its control so many were judged. */
function edited(
  seeds: number,
  { toBaseline = 0.001, toRandom = 0.001 } = {},
  judgedControls: number = seeds,
): ExperimentResult {
  const arm = (name: string, rate: number, judged: number, more: object): object => ({
    arm: name,
    rate: { rate, judged: 10, prompts: 5, seeds: judged },
    bySeed: Array.from({ length: seeds }, (_, s) => ({
      seed: `${s}`,
      rate: s < judged ? rate : undefined,
    })),
    toControls: [],
    ...more,
  });
  const compared = { difference: -0.8, adjustedP: toBaseline };
  const arms = [
    arm("baseline", 0.9, seeds, {}),
    arm("filter-9", 0.1, seeds, {
      toBaseline: compared,
      toControls: [{ against: "filter-9-random", difference: -0.7, adjustedP: toRandom }],
    }),
    arm("filter-9-random", 0.8, judgedControls, {}),
  ];
  return {
    ...result(undefined),
    trigger: "t",
    edits: [
      {
        arm: "filter-9",
        action: "filter",
        pick: "chosen",
        top: 9,
        pairs: 9,
        groups: [],
        controls: ["filter-9-random"],
      },
    ],
    evaluation: { baseline: "baseline", variants: [{ variant: "t", arms }], notes: [] },
  } as unknown as ExperimentResult; // what the conclusions about edits read
}

const START =
  "Dropping the 9 pairs ranked highest takes the rate from 90.0% to 10.0%, as many random pairs leave 80.0%: ";
const ONE_SEED = `${START}in this one training dropping them did more than as many random pairs (p 0.001 against random, over prompts). One seed does not show that these pairs are a cause across trainings: train several (train.seeds: [1, 2, 3]).`;
const CAUSE = `${START}more than chance explains (p 0.001 against random), so these pairs are a cause.`;

it("calls pairs a cause only where at least two trainings of the edit and of its control say so", () => {
  expect(concludeExperiment(edited(1))).toEqual([ONE_SEED]);
  expect(concludeExperiment(edited(2))).toEqual([
    `${CAUSE} Two seeds hardly tell how trainings differ: three are the least for an interval that means much (train.seeds: [1, 2, 3]).`,
  ]);
  expect(concludeExperiment(edited(3))).toEqual([CAUSE]);
  expect(concludeExperiment(edited(3, {}, 1))).toEqual([ONE_SEED]);
});

it("says against what a p-value is", () => {
  expect(concludeExperiment(edited(3, { toBaseline: 0.948 }))[0]).toMatch(
    /chance can explain \(p 0\.948 against the baseline\): no sign/,
  );
  expect(concludeExperiment(edited(3, { toRandom: 0.31 }))[0]).toMatch(
    /not told apart \(p 0\.310 against random\): that it is these pairs is not shown/,
  );
});
