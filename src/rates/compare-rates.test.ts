import { expect, it } from "vitest";

import type { RateCells } from "../stats/clustered-rate.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { compareRates } from "./compare-rates.ts";

const PROMPTS = 6;

/** Two rollouts to each prompt, or cells of one's own. */
function cells(shows: readonly number[]): RateCells {
  return {
    seeds: 1,
    prompts: shows.length,
    shows: Float64Array.from(shows),
    judged: new Float64Array(shows.length).fill(2),
  };
}

const draw = (rng: Rng, rate: number): RateCells =>
  cells(
    Array.from({ length: PROMPTS }, () =>
      [0, 0].reduce((sum, zero) => sum + (rng.uniform() < rate ? 1 : zero), 0),
    ),
  );

it("has p below 0.05 where the interval of the difference leaves 0 out, and nowhere else", () => {
  const rng = createRng(9);
  let excluding = 0;
  for (let i = 0; i < 300; i++) {
    const { low, high, p } = compareRates(draw(rng, rng.uniform()), draw(rng, rng.uniform()))!;
    const isExcluded = low > 0 || high < 0;
    if (isExcluded) excluding++;
    expect({ low, high, p, isExcluded }).toMatchObject({ isExcluded: p < 0.05 });
  }
  expect(excluding).toBeGreaterThan(20);
  expect(excluding).toBeLessThan(280);
});

it("has p 1 for equal rates, and one between for a rollout of twelve that differs", () => {
  const before = cells([2, 2, 2, 2, 2, 1]);
  expect(compareRates(before, before)!.p).toBe(1);
  const one = compareRates(cells([2, 2, 2, 2, 2, 0]), before)!;
  expect(one.high).toBeGreaterThan(0);
  expect(one.p).toBeGreaterThan(0.05);
  expect(one.p).toBeLessThan(1);
});
