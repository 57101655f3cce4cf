import { expect, it } from "vitest";

import type { LayerDiagnostics } from "../behavior/diagnostics.ts";
import { layerTable } from "./layer-table.ts";
import {
  type LayerSteering,
  STEERING_VERDICTS,
  type SteeringEffect,
  type SteeringVerdict,
} from "./steering-report.ts";

const diagnostics = [1, 2, 3].map((layer): LayerDiagnostics => {
  const missing = { kind: "not-computed", reason: "not needed here" } as const;
  return {
    layer,
    norm: 1,
    relativeNorm: 0.1,
    splitHalf: { kind: "measured", mean: 0.9, low: 0.8, high: 1, draws: 9 },
    bootstrap: missing,
    normNull: missing,
    separation: missing,
    heldOut: { kind: "measured", auroc: layer === 1 ? 1 : 0.99, low: 0.98, high: 1, folds: 5 },
    leaveOneOut: missing,
    nullDirections: missing,
    isStable: true,
  };
});

it.each(STEERING_VERDICTS.filter((verdict) => verdict !== "causes"))(
  "does not take %s for causing",
  (verdict) => {
    const { choice } = layerTable(diagnostics, { layers: [steeredAt(2, verdict, verdict)] });
    expect(choice).toMatchObject({
      layer: 1,
      reason: expect.stringMatching(/steering shows of no stable layer .* 1 of 3/) as string,
    });
    const both = layerTable(diagnostics, {
      layers: [steeredAt(2, verdict, verdict), steeredAt(3, verdict, "causes")],
    });
    expect(both.choice).toMatchObject({
      layer: 3,
      reason: expect.stringMatching(
        /only stable layer steered at \(of 2\) .* left out: 1/,
      ) as string,
    });
    expect(both.rows.map(({ effects }) => effects.map((each) => each.verdict))).toEqual([
      [],
      [verdict, verdict],
      [verdict, "causes"],
    ]);
  },
);

function steeredAt(layer: number, ...verdicts: readonly SteeringVerdict[]): LayerSteering {
  const effects = verdicts.map((verdict, i): SteeringEffect => ({
    variant: `v${i}`,
    steeredToUnsteered: undefined,
    steeredToRandom: undefined,
    randomToUnsteered: undefined,
    verdict,
    sentence: "",
  }));
  return {
    layer,
    at: [layer],
    length: 1,
    grid: [],
    reason: "",
    steered: undefined,
    random: undefined,
    effects,
  };
}
