/** @file Which scenarios ask the same request, by the rollouts of the plain variant. */
import { requestKey } from "../data/base-key.ts";
import type { RolloutWithPrompt } from "../judge/judge.ts";
import { hashValue } from "../util/hash.ts";

type Rollouts = Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>;

/** The variant that asks the request alone. */
export const PLAIN_VARIANT = "base";

/** The group of each scenario that has a rollout of the plain variant; equal where that asks the same request. */
export type ScenarioGroups = ReadonlyMap<string, string>;

/** Passes the rollouts on, and notes in `groups` which request each scenario asks: the same as splitScenarios takes for one, see requestKey. */
export async function* noteGroups(
  rollouts: Rollouts,
  plain: string,
  groups: Map<string, string>,
): AsyncGenerator<RolloutWithPrompt, void, undefined> {
  for await (const rollout of rollouts) {
    const { scenario, variant, prompt } = rollout;
    if (variant === plain && !groups.has(scenario)) {
      groups.set(scenario, hashValue(prompt.map((turn) => [turn.role, requestKey(turn.content)])));
    }
    yield rollout;
  }
}

/** The groups of the scenarios that some rollouts are of. */
export async function scenarioGroups(
  rollouts: readonly Rollouts[],
  plain: string = PLAIN_VARIANT,
): Promise<ScenarioGroups> {
  const groups = new Map<string, string>();
  for (const each of rollouts) {
    for await (const _ of noteGroups(each, plain, groups));
  }
  return groups;
}

/** The pairs with the groups of their scenarios. */
export function withGroups<P extends { readonly scenario: string }>(
  pairs: readonly P[],
  groups: ScenarioGroups,
): readonly (P & { readonly group?: string })[] {
  return pairs.map((pair) => {
    const group = groups.get(pair.scenario);
    return group === undefined ? pair : { ...pair, group };
  });
}
