import { NEAR_IDENTICAL_OVERLAP } from "../pairs/audit-pairs.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import { responseText, splitWords, wordOverlap } from "../pairs/text-measures.ts";
import { hashText } from "../util/hash.ts";

/** A key that pairs have in common which repeat one another: same prompt (by its key), same chosen, same rejected; 16 hex digits. */
export const repeatKey = (
  { chosen, rejected }: Pick<PreferencePair, "chosen" | "rejected">,
  prompt: string,
): string => hashText(prompt + JSON.stringify([chosen, rejected])).slice(0, 16);

/** Whether the sides differ in so few words that the pair's vector is mostly noise, as the audit counts it. */
export function isNearIdentical({ chosen, rejected }: PreferencePair): boolean {
  const [left, right] = [splitWords(responseText(chosen)), splitWords(responseText(rejected))];
  return wordOverlap(left, right, NEAR_IDENTICAL_OVERLAP) >= NEAR_IDENTICAL_OVERLAP;
}
