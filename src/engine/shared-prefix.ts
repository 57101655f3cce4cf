import { type RopeScaling, sharesAngles } from "../model/rope.ts";
import type { TokenizedExample } from "./engine.ts";

/** Below this many tokens saved over all examples, a second graph costs more than it saves. */
const MIN_SAVED_TOKENS = 512;

/**
 * How many tokens at the start all prompts share (a system turn, the template's opening), or 0 where sharing them does not pay or
 * is not exact: with some rope scalings a prompt's keys depend on how long the whole sequence is.
 */
export function sharedPrefixLength(
  examples: readonly TokenizedExample[],
  ropes: readonly RopeScaling[],
): number {
  const [first] = examples;
  if (first === undefined) return 0;
  // One more: a token that is sampled next counts towards its prompt's length.
  const longest = examples.reduce((most, each) => Math.max(most, wholeLength(each) + 1), 0);
  if (!ropes.every((rope) => sharesAngles(rope, 1, longest))) return 0;
  let length = first.prompt.length;
  for (const { prompt } of examples) {
    length = Math.min(length, prompt.length);
    let same = 0;
    while (same < length && prompt[same] === first.prompt[same]) same++;
    length = same;
  }
  return length * (examples.length - 1) >= MIN_SAVED_TOKENS ? length : 0;
}

/** Tokens of the prompt and its longest response. */
function wholeLength({ prompt, responses }: TokenizedExample): number {
  return responses.reduce(
    (most, { length }) => Math.max(most, prompt.length + length),
    prompt.length,
  );
}
