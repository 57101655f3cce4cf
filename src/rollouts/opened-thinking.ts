/** @file Thinking that the prompt opened: a response then begins within it, without a mark, and one that is cut before its end answers nothing. */
import type { Rollout } from "./rollouts.ts";

const OPEN = "<think>";
const CLOSE = "</think>";

/** Whether a prompt, as the model sees it, ends within thinking. */
export function endsInThinking(prompt: string): boolean {
  return prompt.trimEnd().endsWith(OPEN);
}

/**
 * Whether rollouts whose prompts are not known as the model saw them began within thinking: more than half of those that ended by
 * themselves close a thinking that they do not open. False where none ended by itself: nothing shows it then.
 */
export async function findOpenedThinking(
  rollouts: AsyncIterable<Pick<Rollout, "response" | "finish">>,
): Promise<boolean> {
  let [whole, closing] = [0, 0];
  for await (const { response, finish } of rollouts) {
    if (finish !== "stop") continue;
    whole++;
    const end = response.indexOf(CLOSE);
    const start = response.indexOf(OPEN);
    if (end >= 0 && (start < 0 || start > end)) closing++;
  }
  return closing > whole / 2;
}
