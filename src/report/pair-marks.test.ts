import { expect, it } from "vitest";

import type { PreferencePair } from "../pairs/preference-pair.ts";
import { splitWords, wordOverlap } from "../pairs/text-measures.ts";
import { createRng } from "../util/rng.ts";
import { isNearIdentical, repeatKey } from "./pair-marks.ts";

const pair = (chosen: string, rejected: string): PreferencePair =>
  ({
    chosen: [{ role: "assistant", content: chosen }],
    rejected: [{ role: "assistant", content: rejected }],
  }) as unknown as PreferencePair; // what is read of one

it("calls sides near-identical where the audit does, whatever the words", () => {
  const rng = createRng(3);
  const words = ["It's", "it's", "A", "b2", "2", "--", "don't.", "naïve", "北京", "x_y", "{", "Z"];
  let near = 0;
  for (let i = 0; i < 2000; i++) {
    const left = Array.from({ length: 1 + (i % 60) }, () => words[rng.integer(words.length)]!);
    const right = left.map((word) => (rng.uniform() < 0.03 ? "other" : word));
    const [a, b] = [left.join(" "), right.join(i % 3 === 0 ? " , " : " ")];
    const expected = wordOverlap(splitWords(a), splitWords(b)) >= 0.95;
    expect(isNearIdentical(pair(a, b))).toBe(expected);
    near += Number(expected);
  }
  expect(near).toBeGreaterThan(100);
  expect(near).toBeLessThan(1900);
  expect(isNearIdentical(pair("!", "!"))).toBe(false);
});

it("gives one key to pairs that say the same, and another where the texts are cut elsewhere", () => {
  expect(repeatKey(pair("a", "b"), "p")).toBe(repeatKey(pair("a", "b"), "p"));
  const keys = [
    repeatKey(pair("a", "b"), "p"),
    repeatKey(pair("b", "a"), "p"),
    repeatKey(pair("a", "b"), "q"),
    repeatKey(pair("ab", ""), "p"),
    repeatKey(pair("", "ab"), "p"),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});
