import type { Rng } from "../util/rng.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

/** The prompts of `count` scenarios drawn by chance, or of all where there are no more, in their order. */
export function drawScenarios(
  prompts: readonly ScenarioPrompt[],
  count: number,
  rng: Rng,
): readonly ScenarioPrompt[] {
  const all = [...new Set(prompts.map(({ scenario }) => scenario))];
  const drawn = new Set(rng.shuffle(all).slice(0, count));
  return prompts.filter(({ scenario }) => drawn.has(scenario));
}
