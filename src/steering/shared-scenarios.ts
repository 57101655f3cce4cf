/** @file Scenarios that both make a behaviour and measure what its direction does: the measure is then not held out. */
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";

/** How many scenarios of the prompts are among those that a behaviour was made from. */
export function countShared(
  prompts: readonly Pick<ScenarioPrompt, "scenario">[],
  madeFrom: readonly string[],
): number {
  const made = new Set(madeFrom);
  return new Set(prompts.map(({ scenario }) => scenario).filter((id) => made.has(id))).size;
}

/** What the reader of a steering must know of them. */
export function describeShared(shared: number): string {
  return `${shared} scenarios are of those that the behaviour was made from: take others to measure it`;
}
