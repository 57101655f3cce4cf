import { missingCauses, tallyVerdicts } from "../judge/tally-verdicts.ts";
import { isMissing, type Verdict } from "../judge/verdict.ts";
import { groupedCells, type ScenarioCells, tallyCells } from "../rates/scenario-cells.ts";
import { groupScenarios, scenarioGroups } from "../rates/scenario-groups.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import { clusteredRate } from "../stats/clustered-rate.ts";
import type { SteeredRate } from "./steering-report.ts";

/** The verdicts of several runs over the same prompts: one for an arm, several for the random directions. */
export type VerdictRuns = readonly (readonly Verdict[])[];

/** The rate in each variant, in the order of the prompts; runs are taken as drawn from many, as requests are. */
export function armRates(
  runs: VerdictRuns,
  prompts: readonly ScenarioPrompt[],
): readonly SteeredRate[] {
  return variantsOf(prompts).map((variant) => {
    const verdicts = runs.flat().filter((each) => each.variant === variant);
    return {
      variant,
      rate: clusteredRate(groupedCells(variantCells(runs, variant, prompts))),
      missing: verdicts.filter(isMissing).length,
      causes: missingCauses(verdicts),
    };
  });
}

/** The cells of that rate; the same prompts, the same columns. */
export function variantCells(
  runs: VerdictRuns,
  variant: string,
  prompts: readonly ScenarioPrompt[],
): ScenarioCells {
  const scenarios = prompts.filter((each) => each.variant === variant);
  return tallyCells(
    runs.map((verdicts) => tallyVerdicts(verdicts)),
    variant,
    { scenarios: scenarios.map(({ scenario }) => scenario), groups: scenarioGroups(prompts) },
  );
}

/** The variants of prompts, in their order. */
export const variantsOf = (prompts: readonly ScenarioPrompt[]): readonly string[] => [
  ...new Set(prompts.map(({ variant }) => variant)),
];

/** How many scenarios prompts are of, and how many different requests these ask. */
export function countRequests(
  prompts: readonly ScenarioPrompt[],
): Readonly<Record<"scenarios" | "requests", number>> {
  const scenarios = [...new Set(prompts.map(({ scenario }) => scenario))];
  const { labels } = groupScenarios(scenarios, scenarioGroups(prompts));
  return { scenarios: scenarios.length, requests: labels.length };
}
