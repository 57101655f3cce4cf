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
  expect(chooseLayer(layers)).toEqual({
    kind: "chosen",
    layer: 4,
    reason:
      "split-half 0.600, no other stable layer reaches a held-out AUROC of 0.700, the lower end at layer 4; not stable, and left out, though it reaches it: layer 2",
  });
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

it("says truly why a steered layer is chosen, whatever the others reach", () => {
  const [low, good] = [
    { auroc: 0.99, low: 0.983, splitHalf: 0.9 },
    { auroc: 1, low: 0.983, splitHalf: 0.95 },
  ];
  const layers = [layer(1, good), layer(2, low), layer(3, low), layer(4, good)];
  const reason = (...steered: [number, boolean][]): string =>
    chooseLayer(layers, new Map(steered)).reason;
  expect(reason([3, true])).toBe(
    "split-half 0.900, the only stable layer steered at (of 1) whose direction causes the behaviour; stable layers not steered at are left out: 3",
  );
  expect(reason([1, false], [2, false], [3, true], [4, false])).toBe(
    "split-half 0.900, the only stable layer steered at (of 4) whose direction causes the behaviour",
  );
  expect(reason([1, false], [2, true], [3, true])).toBe(
    "split-half 0.900, largest of the 2 stable and causal layers that reach a held-out AUROC of 0.983, the lower end at layer 2; causal are 2 of the 3 stable layers steered at; stable layers not steered at are left out: 1",
  );
  expect(reason([1, false], [2, false])).toMatch(
    /^split-half 0.950, largest of the 4 stable layers .* causes the behaviour \(steered at: 2 of 4\)$/,
  );
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
