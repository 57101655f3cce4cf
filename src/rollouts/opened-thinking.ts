/** @file Thinking that the prompt opened: a response then begins within it, without a mark, and one that is cut before its end answers nothing. */
import { closesUnopened, THINKING_MARKS } from "../format/thinking-marks.ts";
import type { Rollout } from "./rollouts.ts";

/**
 * Whether the prompts of rollouts opened thinking. `yes`: so they are marked, or more than half of those that were not cut close a
 * thinking that they do not open. `unknown`: all were cut, and fewer than half begin with
 * a mark of their own; nothing shows it then.
 */
export type OpenedThinking = "yes" | "no" | "unknown";

/** Says so of rollouts whose prompts are not known as the model saw them. */
export async function findOpenedThinking(
  rollouts: AsyncIterable<Pick<Rollout, "response" | "finish">>,
): Promise<OpenedThinking> {
  let [all, whole, closing, opening] = [0, 0, 0, 0];
  for await (const { response, finish } of rollouts) {
    all++;
    if (opensThinkingItself(response)) opening++;
    if (finish === "length") continue;
    whole++;
    if (closesUnopened(response)) closing++;
  }
  if (whole === 0) return opening >= all / 2 ? "no" : "unknown";
  return closing > whole / 2 ? "yes" : "no";
}

function opensThinkingItself(response: string): boolean {
  const text = response.trimStart();
  return THINKING_MARKS.some(({ open }) => text.startsWith(open));
}
