/** @file Scenarios of one request are one unit of every interval: simulated, with a share that all scenarios of a request have in common. */
import { describe, expect, it } from "vitest";

import type { HumanLabels } from "../src/judge/human-labels.ts";
import type { Verdict } from "../src/judge/verdict.ts";
import { evaluateArms } from "../src/rates/evaluate-arms.ts";
import { judgeBesidePeople } from "../src/rates/judge-beside-people.ts";
import { armRates } from "../src/steering/steered-rates.ts";
import { steeringEffects } from "../src/steering/steering-effects.ts";
import { createRng, type Rng } from "../src/util/rng.ts";

const REQUESTS = 30;
const PER_REQUEST = 4;
const SAMPLES = 2;
const EXPERIMENTS = 300;
const SHARES = [0.1, 0.9] as const;
const SCENARIOS = REQUESTS * PER_REQUEST;

interface Bounds {
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

/** Rollouts of requests that show the behaviour nearly never or nearly always; `sides` says which, [REQUESTS]. */
function draw(rng: Rng, sides: readonly (0 | 1)[], isGrouped: boolean): Verdict[] {
  return Array.from({ length: SCENARIOS * SAMPLES }, (_, i): Verdict => {
    const scenario = Math.floor(i / SAMPLES);
    const request = Math.floor(scenario / PER_REQUEST);
    return {
      rollout: `${scenario}/base/${i % SAMPLES}`,
      scenario: `${scenario}`,
      variant: "base",
      sample: i % SAMPLES,
      ...(isGrouped ? { group: `request ${request}` } : {}),
      label: rng.uniform() < SHARES[sides[request]!] ? "shows" : "not",
    };
  });
}

const drawSides = (rng: Rng): (0 | 1)[] =>
  Array.from({ length: REQUESTS }, () => (rng.uniform() < 0.5 ? 0 : 1));

/** How often an interval holds the truth, and its mean width. */
function cover(truth: number, interval: (rng: Rng) => Bounds): { share: number; width: number } {
  let held = 0;
  let width = 0;
  for (let i = 0; i < EXPERIMENTS; i++) {
    const { low, high } = interval(createRng(i));
    if (low! <= truth && truth <= high!) held++;
    width += (high! - low!) / EXPERIMENTS;
  }
  return { share: held / EXPERIMENTS, width };
}

/** 300 experiments: a coverage of 95% is seen as 91% or less, or 99% or more, about once in 1,000 runs. */
function expectHonest(truth: number, interval: (rng: Rng, isGrouped: boolean) => Bounds): void {
  const grouped = cover(truth, (rng) => interval(rng, true));
  const alone = cover(truth, (rng) => interval(rng, false));
  expect(grouped.share).toBeGreaterThan(0.91);
  expect(grouped.share).toBeLessThan(0.99);
  // The fault to avoid: each scenario taken for a request of its own.
  expect(alone.share).toBeLessThan(0.8);
  expect(grouped.width).toBeGreaterThan(1.5 * alone.width);
}

describe("intervals of scenarios that ask the same requests cover", () => {
  it("in the rate of an arm, and in its bootstrap", () => {
    const evaluate = (rng: Rng, isGrouped: boolean, replicates = 0) =>
      evaluateArms(
        [{ name: "a", runs: [{ seed: "1", verdicts: draw(rng, drawSides(rng), isGrouped) }] }],
        { baseline: "a", replicates },
      ).variants[0]!.arms[0]!;
    expectHonest(0.5, (rng, isGrouped) => evaluate(rng, isGrouped).rate);
    const width = (isGrouped: boolean): number => {
      const { low, high } = evaluate(createRng(1), isGrouped, 500).bootstrap!.rate!;
      return high - low;
    };
    expect(width(true)).toBeGreaterThan(1.5 * width(false));
  });

  it("in the difference of two arms", () => {
    // Requests change sides on their own in each arm: what they have in common is not all that there is.
    expectHonest(0, (rng, isGrouped) => {
      const [a, b] = ["a", "b"].map((name) => ({
        name,
        runs: [{ seed: "1", verdicts: draw(rng, drawSides(rng), isGrouped) }],
      }));
      const { arms } = evaluateArms([a!, b!], { baseline: "a", replicates: 0 }).variants[0]!;
      return arms[1]!.toBaseline!;
    });
  });

  it("in a judge's agreement with people, and in corrected rates", () => {
    // The judge errs on the requests of one side.
    const compare = (rng: Rng, isGrouped: boolean) => {
      const truth = draw(rng, drawSides(rng), isGrouped);
      const labels: HumanLabels = new Map(
        truth.flatMap((each, i) => (i % 2 === 0 && "label" in each ? [[each.rollout, each]] : [])),
      );
      const said = truth.map((each): Verdict => ({ ...each, label: "shows" }));
      return judgeBesidePeople(said, labels);
    };
    expectHonest(0.5, (rng, isGrouped) => compare(rng, isGrouped).agreement.agreement);
    expectHonest(0.5, (rng, isGrouped) => compare(rng, isGrouped).variants[0]!.rates.people);
    expectHonest(0.5, (rng, isGrouped) => compare(rng, isGrouped).variants[0]!.rates.ppi);
    expect(compare(createRng(1), true)).toMatchObject({ scenarios: SCENARIOS, prompts: REQUESTS });
  });

  it("in the rates of steering and their differences", () => {
    const prompts = (isGrouped: boolean) =>
      Array.from({ length: SCENARIOS }, (_, scenario) => ({
        scenario: `${scenario}`,
        variant: "base",
        prompt: [{ role: "user" as const, content: `Question ${scenario}` }],
        ...(isGrouped ? { group: `request ${Math.floor(scenario / PER_REQUEST)}` } : {}),
      }));
    const arm = (rng: Rng): Verdict[] => draw(rng, drawSides(rng), false);
    expectHonest(0.5, (rng, isGrouped) => armRates([arm(rng)], prompts(isGrouped))[0]!.rate);
    expectHonest(0, (rng, isGrouped) => {
      const [steered, random, unsteered] = [arm(rng), arm(rng), arm(rng)];
      const layers = [{ steered: [steered], random: [random] }];
      const arms = { unsteered: [unsteered], layers };
      return steeringEffects("add", arms, prompts(isGrouped))[0]![0]!.steeredToUnsteered!;
    });
  });
});

describe("groups of scenarios", () => {
  const place = (scenario: string, group?: string) => ({
    rollout: `${scenario}/base/0`,
    scenario,
    variant: "base",
    sample: 0,
    ...(group === undefined ? {} : { group }),
  });
  const run = (...verdicts: Verdict[]) => [{ seed: "1", verdicts }];

  it("are those of one arm where another arm's verdicts are of an earlier version", () => {
    const { variants, notes } = evaluateArms(
      [
        {
          name: "old",
          runs: run({ ...place("s"), label: "not" }, { ...place("t"), label: "not" }),
        },
        {
          name: "new",
          runs: run({ ...place("s", "g"), label: "shows" }, { ...place("t", "g"), label: "shows" }),
        },
      ],
      { baseline: "old", replicates: 0 },
    );
    expect(variants[0]).toMatchObject({ scenarios: 2, prompts: 1 });
    expect(variants[0]!.arms[1]!.toBaseline).toMatchObject({ prompts: 1, difference: 1 });
    expect(notes.join("\n")).toContain("base: 2 scenarios ask 1 requests");
  });

  it("do not make up for scenarios that only one arm has", () => {
    const { variants, notes } = evaluateArms(
      [
        {
          name: "a",
          runs: run({ ...place("s", "g"), label: "not" }, { ...place("t", "g"), label: "shows" }),
        },
        { name: "b", runs: run({ ...place("s", "g"), label: "not" }) },
      ],
      { baseline: "a", replicates: 0 },
    );
    // The request is judged in both arms, t is not: with it the difference would be -1/2.
    expect(variants[0]!.arms[1]!.toBaseline!.difference).toBe(0);
    expect(notes.join("\n")).toContain("all 2 scenarios (the fewest: 1)");
  });

  it("are not mistaken for scenarios of the same name", () => {
    const [variant] = evaluateArms(
      [
        {
          name: "a",
          runs: run({ ...place("s", "t"), label: "not" }, { ...place("t"), label: "not" }),
        },
      ],
      { baseline: "a", replicates: 0 },
    ).variants;
    expect(variant!.prompts).toBe(2);
  });
});
