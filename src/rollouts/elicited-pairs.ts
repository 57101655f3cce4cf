/** @file One checkpoint's answers under two system prompts, as response pairs. */
import type { Message } from "../format/messages.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import type { Rollout } from "./rollouts.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

/** The prompt behind a system turn. Throws ConfigError where it has one of its own, which would be another one. */
export function withSystem(prompt: ScenarioPrompt, system: string): ScenarioPrompt {
  if (prompt.prompt.some(({ role }) => role === "system")) {
    throw new ConfigError(
      `prompts: expected prompts without a system turn, got one in "${prompt.scenario}"`,
      { hint: "The system prompts are what makes the two differ: leave others out." },
    );
  }
  return { ...prompt, prompt: [{ role: "system", content: system }, ...prompt.prompt] };
}

/** Response pairs, and how many were none. */
export interface Elicited {
  readonly pairs: readonly ResponsePair[];
  /** Both answers are one text. */
  readonly same: number;
  /** An answer without text. */
  readonly empty: number;
}

/**
 * The n-th answer to a prompt under the asking system prompt (after) with the n-th under the contrary one (before), on the prompt itself. Throws RuntimeError where no
 * pair is left.
 */
export async function pairElicited(
  prompts: readonly ScenarioPrompt[],
  asked: AsyncIterable<Rollout>,
  contrary: AsyncIterable<Rollout>,
): Promise<Elicited> {
  const promptOf = new Map(prompts.map((each) => [`${each.scenario}/${each.variant}`, each]));
  const before = new Map<string, string>();
  for await (const { id, response } of contrary) before.set(id, response);
  const pairs: ResponsePair[] = [];
  let [same, empty] = [0, 0];
  const say = (content: string): readonly Message[] => [{ role: "assistant", content }];
  for await (const { id, scenario, variant, response, group, tags } of asked) {
    const other = before.get(id);
    const found = promptOf.get(`${scenario}/${variant}`);
    if (other === undefined || found === undefined) {
      throw new Error(`internal: no other side of rollout ${id}`);
    }
    if (response.trim() === "" || other.trim() === "") empty += 1;
    else if (response.trim() === other.trim()) same += 1;
    else {
      const sides = { before: say(other), after: say(response) };
      pairs.push({ id, prompt: found.prompt, ...sides, scenario, group, tags });
    }
  }
  if (pairs.length > 0) return { pairs, same, empty };
  throw new RuntimeError(
    `elicit: expected answers that differ under the two system prompts, got none (${same} the same, ${empty} empty)`,
    { hint: "Word the system prompts more strongly, or sample with a higher temperature." },
  );
}
