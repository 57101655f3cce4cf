import type { RopeScaling } from "../model/rope.ts";
import type { TokenizedExample } from "./engine.ts";

/** Below this many tokens saved over all examples, a second graph costs more than it saves. */
const MIN_SAVED_TOKENS = 512;

/**
 * How many tokens at the start all prompts share (a system turn, the template's opening), or 0 where sharing them does not pay or
 * is not exact: with `dynamic` rope scaling a prompt's keys depend on what follows.
 */
export function sharedPrefixLength(
  examples: readonly TokenizedExample[],
  ropes: readonly RopeScaling[],
): number {
  const [first] = examples;
  if (first === undefined || ropes.some((rope) => rope.kind === "dynamic")) return 0;
  let length = first.prompt.length;
  for (const { prompt } of examples) {
    length = Math.min(length, prompt.length);
    let same = 0;
    while (same < length && prompt[same] === first.prompt[same]) same++;
    length = same;
  }
  return length * (examples.length - 1) >= MIN_SAVED_TOKENS ? length : 0;
}
