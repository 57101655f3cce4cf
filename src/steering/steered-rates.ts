import type { ScenarioPrompt } from "../data/scenarios.ts";
import { tallyCells } from "../evaluation/rate-cells.ts";
import { missingCauses, tallyVerdicts } from "../judge/tally-verdicts.ts";
import { isMissing, type Verdict } from "../judge/verdict.ts";
import { clusteredRate, type RateCells } from "../util/clustered-rate.ts";
import type { SteeredRate } from "./steering-report.ts";

/** The verdicts of several runs over the same prompts: one for an arm, several for the random directions. */
export type VerdictRuns = readonly (readonly Verdict[])[];

/** The rate in each variant, in the order of the prompts; runs are taken as drawn from many, as prompts are. */
export function armRates(
  runs: VerdictRuns,
  prompts: readonly ScenarioPrompt[],
): readonly SteeredRate[] {
  return variantsOf(prompts).map((variant) => {
    const verdicts = runs.flat().filter((each) => each.variant === variant);
    return {
      variant,
      rate: clusteredRate(variantCells(runs, variant, prompts)),
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
): RateCells {
  const scenarios = prompts.filter((each) => each.variant === variant);
  return tallyCells(
    runs.map((verdicts) => tallyVerdicts(verdicts)),
    variant,
    scenarios.map(({ scenario }) => scenario),
  );
}

/** The variants of prompts, in their order. */
export const variantsOf = (prompts: readonly ScenarioPrompt[]): readonly string[] => [
  ...new Set(prompts.map(({ variant }) => variant)),
];
