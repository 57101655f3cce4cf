/** @file Which draws the samples of a prompt are: no two rollouts of one checkpoint are one draw, also where scenarios ask the same. */

/**
 * The number of the first draw of each prompt, by its text: 0 where it is new, and behind the draws of the earlier ones where it is there
 * again, as the base is of scenarios that share it. What comes first keeps its draws, whatever follows.
 */
export function firstDraws(prompts: readonly string[], samples: number): readonly number[] {
  const next = new Map<string, number>();
  return prompts.map((prompt) => {
    const first = next.get(prompt) ?? 0;
    next.set(prompt, first + samples);
    return first;
  });
}
