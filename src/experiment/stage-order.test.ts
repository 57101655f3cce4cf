import { expect, it } from "vitest";

import { withWaits } from "./stage-order.ts";
import type { Stage } from "./stage.ts";

const stage = (kind: string, name = ""): Stage => ({
  kind,
  name,
  version: 1,
  settings: {},
  inputs: {},
  run: () => Promise.resolve(),
});

/** What each of these stages waits for. */
const waits = (...stages: readonly Stage[]): readonly (readonly string[] | undefined)[] =>
  withWaits(stages).map(({ after }) => after);

it("lets the first training on all pairs end before any other begins", () => {
  expect(
    waits(
      stage("audit"),
      stage("warmup"),
      stage("train", "a"),
      stage("train", "b"),
      stage("embed"),
      stage("retrain", "c"),
    ),
  ).toEqual([
    undefined,
    ["audit"],
    ["audit", "warmup"],
    ["audit", "train-a"],
    ["audit"],
    ["audit", "train-a"],
  ]);
});

it("trains one after another where none trains on all pairs", () => {
  expect(waits(stage("retrain", "a"), stage("retrain", "b"), stage("retrain", "c"))).toEqual([
    [],
    ["retrain-a"],
    ["retrain-b"],
  ]);
});
