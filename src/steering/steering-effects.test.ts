import { expect, it } from "vitest";

import type { Verdict } from "../judge/verdict.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import { effectVerdict, steeringEffects } from "./steering-effects.ts";

const effect = (difference: number, adjustedP: number) => ({ difference, adjustedP });
const none = effect(0, 1);

it.each([
  ["moves and beats random", effect(0.5, 0.001), effect(0.5, 0.001), none, "causes"],
  [
    "moves more than random, which moves too",
    effect(0.5, 0.001),
    effect(0.3, 0.01),
    effect(0.2, 0.01),
    "causes",
  ],
  [
    "moves as random does",
    effect(0.5, 0.001),
    effect(0.01, 0.9),
    effect(0.49, 0.001),
    "unspecific",
  ],
  [
    "moves less than random",
    effect(0.2, 0.01),
    effect(-0.3, 0.001),
    effect(0.5, 0.001),
    "unspecific",
  ],
  [
    "moves, not told from random",
    effect(0.2, 0.04),
    effect(0.15, 0.2),
    effect(0.05, 0.6),
    "unclear",
  ],
  [
    "does not move, though it differs from random",
    effect(0.1, 0.05),
    effect(0.4, 0.001),
    effect(-0.3, 0.001),
    "no-evidence",
  ],
  ["moves the wrong way", effect(-0.5, 0.001), effect(-0.5, 0.001), none, "reverses"],
  ["has nothing to compare with", effect(0.5, 0.001), undefined, undefined, "not-judged"],
] as const)(
  "a rate that %s",
  (_, steeredToUnsteered, steeredToRandom, randomToUnsteered, verdict) => {
    const up = { steeredToUnsteered, steeredToRandom, randomToUnsteered };
    expect(effectVerdict("add", up)).toBe(verdict);
    const turn = (each: typeof steeredToUnsteered | undefined) =>
      each === undefined ? undefined : effect(-each.difference, each.adjustedP);
    const down = {
      steeredToUnsteered: turn(steeredToUnsteered),
      steeredToRandom: turn(steeredToRandom),
      randomToUnsteered: turn(randomToUnsteered),
    };
    expect(effectVerdict("project-out", down)).toBe(verdict);
  },
);

it("adjusts p-values for all layers that were steered at", () => {
  const steered = {
    steered: [showing(6)],
    random: [showing(0), showing(0)],
    incoherent: undefined,
  };
  const unsteered = [showing(0)];
  const effects = (count: number) =>
    steeringEffects(
      "add",
      { unsteered, layers: Array.from({ length: count }, () => steered) },
      prompts,
    ).map(([only]) => only!);
  const [alone] = effects(1);
  const { p } = alone!.steeredToUnsteered!;
  expect(p).toBeLessThan(0.05);
  expect(alone).toMatchObject({ verdict: "causes", steeredToUnsteered: { adjustedP: p } });
  // Of n equal p-values Holm's adjustment is Bonferroni's.
  const count = Math.ceil(0.05 / p);
  for (const { verdict, steeredToUnsteered, steeredToRandom } of effects(count)) {
    expect(steeredToUnsteered!.adjustedP).toBeCloseTo(count * p, 12);
    expect(steeredToRandom!.adjustedP).toBeCloseTo(Math.min(1, count * steeredToRandom!.p), 12);
    expect(verdict).toBe("no-evidence");
  }
});

it.each([
  ["steered", /^Nothing can be said of the behaviour: the steered text is no longer coherent/],
  ["random", /^Nothing can be said of the direction: with random directions the text/],
] as const)("says nothing of a rate where the %s text is not coherent", (incoherent, sentence) => {
  const arms = { steered: [showing(20)], random: [showing(0)], incoherent };
  const [[only] = []] = steeringEffects(
    "add",
    { unsteered: [showing(0)], layers: [arms] },
    prompts,
  );
  expect(only).toMatchObject({
    verdict: "incoherent",
    sentence: expect.stringMatching(sentence) as string,
  });
  expect(only!.steeredToUnsteered!.difference).toBe(1);
});

it("does not call a cause what random directions do as well", () => {
  const verdictBeside = (random: number): string => {
    const layers = [{ steered: [showing(9)], random: [showing(random), showing(random)] }];
    return steeringEffects("add", { unsteered: [showing(0)], layers }, prompts)[0]![0]!.verdict;
  };
  expect(verdictBeside(0)).toBe("causes");
  expect(verdictBeside(9)).toBe("unspecific");
  expect(verdictBeside(8)).not.toBe("causes");
});

const prompts = Array.from({ length: 20 }, (_, i): ScenarioPrompt => ({
  scenario: `s${i}`,
  variant: "base",
  prompt: [{ role: "user", content: `Why ${i}?` }],
}));

/** One rollout of each prompt; the first `count` show the behaviour. */
function showing(count: number): readonly Verdict[] {
  return prompts.map(({ scenario, variant }, i) => ({
    rollout: `${scenario}#0`,
    scenario,
    variant,
    sample: 0,
    label: i < count ? "shows" : "not",
  }));
}
