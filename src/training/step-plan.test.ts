import { describe, expect, test } from "vitest";

import { epochOrder, planSteps } from "./step-plan.ts";

const ids = Array.from({ length: 1000 }, (_, i) => `pair-${i}`);
const settings = { epochs: 2, batchSize: 32, maxSteps: undefined, seed: 1, shuffle: true };

describe("planSteps", () => {
  test("takes every example once an epoch, in another order each epoch and seed", () => {
    const plan = planSteps(ids, settings);
    expect(plan.steps).toBe(64);
    const epoch = (n: number): number[] =>
      Array.from({ length: 32 }, (_, i) => plan.examplesOf(32 * n + i)).flat();
    expect(epoch(0).toSorted((a, b) => a - b)).toEqual(ids.map((_, i) => i));
    expect(epoch(1).toSorted((a, b) => a - b)).toEqual(ids.map((_, i) => i));
    expect(epoch(1)).not.toEqual(epoch(0));
    expect(epochOrder(ids, 2, 0)).not.toEqual(epoch(0));
    expect(plan.examplesOf(31)).toHaveLength(1000 - 31 * 32);
  });

  test("keeps the order of the others when examples are taken out", () => {
    const kept = ids.filter((_, i) => i % 7 !== 3);
    const before = epochOrder(ids, 5, 1).map((i) => ids[i]!);
    const after = epochOrder(kept, 5, 1).map((i) => kept[i]!);
    expect(after).toEqual(before.filter((id) => kept.includes(id)));
  });

  test("orders evenly: the first half of an epoch holds about half of every tenth of the data", () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let seed = 0; seed < 20; seed++) {
      for (const i of epochOrder(ids, seed, 0).slice(0, 500)) counts[Math.floor(i / 100)]! += 1;
    }
    // 1000 expected each; a standard deviation is about 21.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(100);
  });

  test("stops at the largest number of steps and can keep the order given", () => {
    const plan = planSteps(ids, { ...settings, maxSteps: 3, shuffle: false, batchSize: 4 });
    expect(plan.steps).toBe(3);
    expect(plan.examplesOf(2)).toEqual([8, 9, 10, 11]);
  });
});
