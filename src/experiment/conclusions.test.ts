import { expect, it } from "vitest";

import type { LayerTable } from "../steering/layer-table.ts";
import { concludeExperiment } from "./conclusions.ts";
import type { ExperimentResult } from "./result.ts";

const result = (choice: LayerTable["choice"] | undefined): ExperimentResult =>
  ({
    probe: { layer: 2, layerReason: "named in the experiment file" },
    edits: [],
    ...(choice === undefined ? {} : { layerTable: { rows: [], choice } }),
  }) as unknown as ExperimentResult; // what the conclusions of a result without arms read

it("says which unrelated behaviour the verdict was not held to", () => {
  const verdict = {
    notHeldTo: [{ behavior: "drift", reason: "not stable at this layer (noise)" }],
  };
  expect(
    concludeExperiment({ ...result(undefined), verdict } as unknown as ExperimentResult),
  ).toEqual([
    expect.stringMatching(
      /^The verdict was not held to drift: not stable at this layer \(noise\)\./,
    ),
  ]);
});

it("says where steering speaks for another layer than that of the ranking, and is silent where it does not", () => {
  const chosen = { kind: "chosen", layer: 4, reason: "split-half 0.9" } as const;
  expect(concludeExperiment(result(chosen))).toEqual([
    "With steering layer 4 is chosen (split-half 0.9); the ranking is at layer 2 (named in the experiment file). To rank at the other, set attribution.layer.",
  ]);
  expect(concludeExperiment(result({ ...chosen, layer: 2 }))).toEqual([]);
  expect(concludeExperiment(result({ kind: "none", reason: "no layer is stable" }))).toEqual([]);
  expect(concludeExperiment(result(undefined))).toEqual([]);
});
