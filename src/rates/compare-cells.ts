import { compareRates, type RateComparison, selectPrompts } from "./compare-rates.ts";
import { groupedCells, judgedScenarios, type ScenarioCells } from "./scenario-cells.ts";

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
