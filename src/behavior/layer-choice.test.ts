import { expect, it } from "vitest";

import type { LayerDiagnostics } from "./diagnostics.ts";
import { chooseLayer } from "./layer-choice.ts";

it("takes the most consistent of the layers that are as good as the best", () => {
  const layers = [
    layer(3, { auroc: 0.99, low: 0.95, splitHalf: 0.7 }),
    layer(5, { auroc: 0.96, low: 0.9, splitHalf: 0.9 }),
    // More consistent, but worse than the best can be.
    layer(7, { auroc: 0.94, low: 0.9, splitHalf: 0.95 }),
  ];
  expect(chooseLayer(layers)).toMatchObject({ kind: "chosen", layer: 5 });
  expect(chooseLayer(layers)).toHaveProperty(
    "reason",
    "split-half 0.900, largest of the 2 stable layers that reach a held-out AUROC of 0.950, the lower end at layer 3",
  );
});

it("of equals takes the lower", () => {
  const same = { auroc: 1, low: 0.9, splitHalf: 0.9 };
  expect(chooseLayer([layer(4, same), layer(6, same)])).toMatchObject({ layer: 4 });
});

it("passes over layer 0 and layers that are not stable, however good they look", () => {
  const good = { auroc: 1, low: 0.99, splitHalf: 0.99 };
  const layers = [
    layer(0, good),
    { ...layer(2, good), isStable: false, doubt: "random signs give a vector as long" },
    layer(4, { auroc: 0.8, low: 0.7, splitHalf: 0.6 }),
  ];
  expect(chooseLayer(layers)).toMatchObject({ kind: "chosen", layer: 4 });
  expect(chooseLayer(layers.slice(0, 2))).toEqual({
    kind: "none",
    reason: "no layer is stable; layer 2: random signs give a vector as long",
  });
  expect(chooseLayer(layers.slice(0, 1)).reason).toContain("only layer 0");
});

it("where steering was measured, takes only layers whose direction causes the behaviour, if there are any", () => {
  const layers = [
    layer(3, { auroc: 0.99, low: 0.95, splitHalf: 0.9 }),
    layer(5, { auroc: 0.8, low: 0.7, splitHalf: 0.6 }),
  ];
  const steered = (three: boolean, five: boolean): ReadonlyMap<number, boolean> =>
    new Map([
      [3, three],
      [5, five],
    ]);
  expect(chooseLayer(layers, steered(false, true))).toMatchObject({ layer: 5 });
  expect(chooseLayer(layers, steered(true, true))).toMatchObject({ layer: 3 });
  expect(chooseLayer(layers, steered(false, false))).toMatchObject({
    layer: 3,
    reason: expect.stringMatching(/steering shows of no stable layer/) as string,
  });
});

function layer(
  number: number,
  { auroc, low, splitHalf }: { auroc: number; low: number; splitHalf: number },
): LayerDiagnostics {
  const missing = { kind: "not-computed", reason: "not needed here" } as const;
  return {
    layer: number,
    norm: 1,
    relativeNorm: 0.1,
    splitHalf: { kind: "measured", mean: splitHalf, low: splitHalf, high: 1, draws: 9 },
    bootstrap: missing,
    normNull: missing,
    separation: missing,
    heldOut: { kind: "measured", auroc, low, high: 1, folds: 5 },
    leaveOneOut: missing,
    nullDirections: missing,
    isStable: true,
  };
}
