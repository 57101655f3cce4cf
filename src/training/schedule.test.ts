import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import type { Schedule } from "./settings.ts";
import { learningRateAt } from "./step-plan.ts";

const { schedules } = JSON.parse(
  readFileSync(new URL("../../test/golden/training/optimizer.json", import.meta.url), "utf8"),
) as {
  readonly schedules: readonly {
    readonly schedule: Schedule;
    readonly warmupSteps: number;
    readonly steps: number;
    readonly rates: readonly number[];
  }[];
}; // written by make_optimizer.py

describe("learning-rate schedules", () => {
  for (const { schedule, warmupSteps, steps, rates } of schedules) {
    test(`${schedule} with ${warmupSteps} warm-up steps is transformers'`, () => {
      for (const [step, rate] of rates.entries()) {
        const got = learningRateAt(step, { schedule, learningRate: 1, warmupSteps, steps });
        expect(got).toBeCloseTo(rate, 12);
      }
    });
  }
});
