/** @file What pairs are marked for by their texts. Made for every pair of a run, so nothing is allocated for most of them. */
import { createHash } from "node:crypto";

import type { Message } from "../format/messages.ts";
import { NEAR_IDENTICAL_OVERLAP } from "../pairs/audit-pairs.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import { responseText, splitWords, wordOverlap } from "../pairs/text-measures.ts";

/** A key that pairs have in common which repeat one another: same prompt (by its key), same chosen, same rejected; 16 hex digits. */
export function repeatKey(
  { chosen, rejected }: Pick<PreferencePair, "chosen" | "rejected">,
  prompt: string,
): string {
  const hash = createHash("sha256").update(prompt);
  const add = (turns: readonly Message[]): void => {
    hash.update(`\n${turns.length}`);
    for (const { role, content, whole } of turns) {
      // With their lengths, so that no two conversations are written alike.
      hash.update(`\n${role.length} ${content.length}\n`).update(role).update(content);
      if (whole !== undefined) hash.update(JSON.stringify(whole));
    }
  };
  add(chosen);
  add(rejected);
  return hash.digest("hex").slice(0, 16);
}

/** Whether the sides differ in so few words that the pair's vector is mostly noise, as the audit counts it. */
export function isNearIdentical({ chosen, rejected }: PreferencePair): boolean {
  const [left, right] = [responseText(chosen), responseText(rejected)];
  if (mostOverlap(left, right) < NEAR_IDENTICAL_OVERLAP) return false;
  const words = [splitWords(left), splitWords(right)] as const;
  return wordOverlap(...words, NEAR_IDENTICAL_OVERLAP) >= NEAR_IDENTICAL_OVERLAP;
}

const BUCKETS = 4096;
const counts = new Int32Array(BUCKETS);

/**
 * No less than the overlap of two texts: words are told apart by a short hash alone, so that other ones may be taken for the same. 1 where
 * a text has other than ASCII characters, whose words are not so easily found.
 */
function mostOverlap(left: string, right: string): number {
  counts.fill(0);
  let shared = 0;
  const all = eachWord(left, (bucket) => counts[bucket]!++);
  const others = eachWord(right, (bucket) => {
    if (counts[bucket]!-- > 0) shared++;
  });
  if (all === undefined || others === undefined) return 1;
  return all + others === 0 ? 0 : (2 * shared) / (all + others);
}

/** Calls for every word with its bucket and counts them; undefined at a character beyond ASCII. */
function eachWord(text: string, call: (bucket: number) => void): number | undefined {
  let [hash, words, isWord] = [0, 0, false];
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? 32 : text.charCodeAt(i);
    if (code > 127) return undefined;
    const letter = code | 32; // lower case of a letter; digits and the apostrophe stay
    const isPart = (letter >= 97 && letter <= 122) || (code >= 48 && code <= 57) || code === 39;
    if (isPart) {
      hash = (Math.imul(hash, 31) + letter) | 0;
      isWord = true;
    } else if (isWord) {
      words++;
      call((hash >>> 4) & (BUCKETS - 1));
      hash = 0;
      isWord = false;
    }
  }
  return words;
}
