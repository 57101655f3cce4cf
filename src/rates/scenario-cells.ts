/** @file Judged rollouts counted by scenario, and summed over scenarios that ask the same request. */
import type { Grouping } from "../behavior/prompt-groups.ts";
import type { VerdictTallies } from "../judge/tally-verdicts.ts";
import { isJudged, type RateCells } from "../stats/clustered-rate.ts";
import { compareRates, type RateComparison, selectPrompts } from "./compare-rates.ts";
import { groupScenarios, type ScenarioGroups } from "./scenario-groups.ts";

/** Counts of one variant: one row for each run, one column for each scenario. */
export interface ScenarioCells {
  /** Its "prompts" are scenarios. */
  readonly scenarios: RateCells;
  /** The scenarios that ask the same request: the units that intervals count. */
  readonly groups: Grouping;
}

/** The scenarios that have a verdict in a variant, in the order in which they are first seen. */
export const scenariosOf = (
  runs: readonly VerdictTallies[],
  variant: string,
): readonly string[] => [...new Set(runs.flatMap((run) => [...(run.get(variant)?.keys() ?? [])]))];

/** The counts of one variant, scenarios in the order given. */
export function tallyCells(
  runs: readonly VerdictTallies[],
  variant: string,
  { scenarios, groups }: { readonly scenarios: readonly string[]; readonly groups: ScenarioGroups },
): ScenarioCells {
  const tallies = runs.flatMap((run) => scenarios.map((each) => run.get(variant)?.get(each)));
  return {
    scenarios: {
      seeds: runs.length,
      prompts: scenarios.length,
      shows: Float64Array.from(tallies, (tally) => tally?.shows ?? 0),
      judged: Float64Array.from(tallies, (tally) => tally?.judged ?? 0),
    },
    groups: groupScenarios(scenarios, groups),
  };
}

/** The cells of the rate: one column for each group, scenarios of one request summed. */
export function groupedCells({ scenarios, groups }: ScenarioCells): RateCells {
  const { seeds, prompts } = scenarios;
  const count = groups.labels.length;
  const sum = (values: Float64Array): Float64Array => {
    const sums = new Float64Array(seeds * count);
    for (let i = 0; i < values.length; i++) {
      sums[Math.floor(i / prompts) * count + groups.of[i % prompts]!]! += values[i]!;
    }
    return sums;
  };
  return { seeds, prompts: count, shows: sum(scenarios.shows), judged: sum(scenarios.judged) };
}

/** Scenarios with a judged rollout. */
export function judgedScenarios({ scenarios }: ScenarioCells): readonly number[] {
  return Array.from({ length: scenarios.prompts }, (_, p) => p).filter((p) =>
    isJudged(scenarios, p),
  );
}

/**
 * Compares two rates, see compareRates, over the scenarios that both have judged rollouts of; undefined where there are none. The columns of
 * both are the same scenarios.
 */
export function compareCells(
  arm: ScenarioCells,
  reference: ScenarioCells,
): RateComparison | undefined {
  const judged = new Set(judgedScenarios(reference));
  const common = judgedScenarios(arm).filter((scenario) => judged.has(scenario));
  const [a, b] = [arm, reference].map((cells) => groupedCells(selectScenarios(cells, common)));
  return compareRates(a!, b!); // two, as given
}

function selectScenarios(
  { scenarios, groups }: ScenarioCells,
  which: readonly number[],
): ScenarioCells {
  return {
    scenarios: selectPrompts(scenarios, which),
    // A group whose scenarios are all left out keeps its column, with nothing judged.
    groups: { ...groups, of: Int32Array.from(which, (scenario) => groups.of[scenario]!) },
  };
}
