import { describe, expect, it } from "vitest";

import { dominantScript, splitWords, wordOverlap } from "./text-measures.ts";

describe("splitWords", () => {
  it("takes letters, digits and apostrophes together, and Chinese and Japanese by character", () => {
    expect(splitWords("Don't  panic: it's 42!\n")).toEqual(["Don't", "panic", "it's", "42"]);
    expect(splitWords("Müller’s naïve Ärger")).toEqual(["Müller’s", "naïve", "Ärger"]);
    expect(splitWords("abc漢字です")).toEqual(["abc", "漢", "字", "で", "す"]);
    expect(splitWords("… !?")).toEqual([]);
  });
});

describe("wordOverlap", () => {
  const overlap = (a: string, b: string, atLeast?: number): number =>
    wordOverlap(splitWords(a), splitWords(b), atLeast);

  it("is twice the shared words over all words, repeats counted, case and order not", () => {
    expect(overlap("a b c", "C B A")).toBe(1);
    expect(overlap("a a b", "a b b")).toBe(4 / 6);
    expect(overlap("a", "b")).toBe(0);
    expect(overlap("__proto__ a", "constructor a")).toBe(0.5);
  });

  it("is 0 where there are no words, and where the counts rule the bound out", () => {
    expect(overlap("!", "?")).toBe(0);
    expect(overlap("a b c d", "a", 0.5)).toBe(0);
    expect(overlap("a b c d", "a")).toBe(2 / 5);
  });
});

describe("dominantScript", () => {
  it.each([
    ["Hello", "Latin"],
    ["Привет, world", "Cyrillic"],
    ["漢字", "Han"],
    ["漢字です", "Japanese"],
    ["안녕", "Hangul"],
    ["नमस्ते", "Devanagari"],
    ["1 + 1 = 2", "none"],
    ["…", "none"],
    ["ᏣᎳᎩ", "other"],
  ])("of %j is %s", (text, script) => {
    expect(dominantScript(text)).toBe(script);
  });
});
