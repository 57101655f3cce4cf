/** @file Which scenarios ask the same request: they are no independent draws, and count as one unit. */
import { type Grouping, groupKeys } from "../behavior/prompt-groups.ts";
import type { Message } from "../format/messages.ts";
import type { RolloutWithPrompt } from "../judge/judge.ts";
import { requestGroup } from "../rollouts/base-key.ts";

/** The variant that asks the request alone. */
export const PLAIN_VARIANT = "base";

/** The group of each scenario whose request is known; equal where that is the same. */
export type ScenarioGroups = ReadonlyMap<string, string>;

/** A prompt, a rollout or a verdict. */
interface Asked {
  readonly scenario: string;
  readonly variant: string;
  readonly group?: string | undefined;
  readonly prompt?: readonly Message[] | undefined;
}

/** The groups of the scenarios of prompts, rollouts or verdicts: as these say, else by the prompt of the plain variant. */
export function scenarioGroups(
  asked: Iterable<Asked>,
  plain: string = PLAIN_VARIANT,
): ScenarioGroups {
  const groups = new Map<string, string>();
  for (const each of asked) note(groups, each, plain);
  return groups;
}

function note(groups: Map<string, string>, asked: Asked, plain: string): void {
  const { scenario, variant, group, prompt } = asked;
  if (groups.has(scenario)) return;
  if (group !== undefined) groups.set(scenario, group);
  else if (variant === plain && prompt !== undefined) groups.set(scenario, requestGroup(prompt));
}

/** Passes rollouts on, and notes the groups of their scenarios; `plain` is the variant that asks the request alone, default PLAIN_VARIANT. */
export async function* noteGroups<A extends Asked>(
  rollouts: Iterable<A> | AsyncIterable<A>,
  plain: string | undefined,
  groups: Map<string, string>,
): AsyncGenerator<A, void, undefined> {
  for await (const rollout of rollouts) {
    note(groups, rollout, plain ?? PLAIN_VARIANT);
    yield rollout;
  }
}

/**
 * Rollouts, each with its group where that is known: files of earlier versions and of other programs do not say it, and are then read once
 * more, by `open`, before the first is given.
 */
export async function* groupedRollouts<R extends RolloutWithPrompt>(
  open: () => AsyncIterable<R>,
): AsyncGenerator<R, void, undefined> {
  let groups: Map<string, string> | undefined;
  for await (const rollout of open()) {
    if (rollout.group === undefined && groups === undefined) {
      groups = new Map();
      for await (const _ of noteGroups(open(), PLAIN_VARIANT, groups));
    }
    const group = rollout.group ?? groups?.get(rollout.scenario);
    yield group === undefined ? rollout : { ...rollout, group };
  }
}

/** The units that scenarios make: those of one group together, one without a group by itself. */
export function groupScenarios(scenarios: readonly string[], groups: ScenarioGroups): Grouping {
  return groupKeys(scenarios.map((scenario) => unitOf(scenario, groups)));
}

/** The unit that a scenario belongs to. Groups and scenarios are different names, whatever they are called. */
export function unitOf(scenario: string, groups: ScenarioGroups): string {
  const group = groups.get(scenario);
  return group === undefined ? `scenario ${scenario}` : `group ${group}`;
}

/** The pairs with the groups of their scenarios. */
export function withGroups<P extends { readonly scenario: string }>(
  pairs: readonly P[],
  groups: ScenarioGroups,
): readonly (P & { readonly group?: string | undefined })[] {
  return pairs.map((pair) => {
    const group = groups.get(pair.scenario);
    return group === undefined ? pair : { ...pair, group };
  });
}
