import { type Message, turnText } from "../format/messages.ts";

/** All text of a response, calls and reasoning included. */
export function responseText(turns: readonly Message[]): string {
  return turns.map(turnText).join("\n");
}

/** The Unicode characters of a text. */
export function countCharacters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

const ASCII_WORD = /[a-z0-9']+/gi;
/** Scripts without blanks between words: each character counts as one. */
const UNSPACED = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}";
const ANY_WORD = new RegExp(`[${UNSPACED}]|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}'’])+`, "gu");

/**
 * The words of a text: runs of letters, digits and apostrophes; in Chinese, Japanese and Thai, which set no blanks, every
 * character.
 */
export function splitWords(text: string): readonly string[] {
  return text.match(isAscii(text) ? ASCII_WORD : ANY_WORD) ?? [];
}

/**
 * How much two texts share, 0 to 1: twice the number of words they have in common (repeats counted, case and order not)
 * over the number of both texts' words (the Dice coefficient of the two multisets). Texts without any word share nothing.
 * Returns 0 at once where the word counts alone keep it below `atLeast`.
 */
export function wordOverlap(a: readonly string[], b: readonly string[], atLeast = 0): number {
  const total = a.length + b.length;
  if (total === 0 || (2 * Math.min(a.length, b.length)) / total < atLeast) return 0;
  const counts = new Map<string, number>();
  for (const word of a) {
    const key = word.toLowerCase();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  let shared = 0;
  for (const word of b) {
    const key = word.toLowerCase();
    const left = counts.get(key) ?? 0;
    if (left === 0) continue;
    shared++;
    counts.set(key, left - 1);
  }
  return (2 * shared) / total;
}

/** Enough letters to tell, in characters. */
const SCRIPT_SAMPLE = 500;
const KANA = ["Hiragana", "Katakana"];
const SCRIPTS =
  "Latin Cyrillic Greek Arabic Hebrew Devanagari Bengali Tamil Thai Hangul Hiragana Katakana Han"
    .split(" ")
    .map((name) => ({ name, pattern: new RegExp(`\\p{Script=${name}}`, "gu") }));

/** The Unicode script of most letters at a text's start; Japanese for any kana; "none" without letters, else "other". */
export function dominantScript(text: string): string {
  const sample = text.slice(0, SCRIPT_SAMPLE);
  if (isAscii(sample)) return /[a-z]/i.test(sample) ? "Latin" : "none";
  const counts = SCRIPTS.map(({ name, pattern }) => ({
    name,
    count: sample.match(pattern)?.length ?? 0,
  }));
  const best = counts.reduce((a, b) => (b.count > a.count ? b : a));
  if (best.count === 0) return /\p{L}/u.test(sample) ? "other" : "none";
  const isEastAsian = ["Han", ...KANA].includes(best.name);
  const hasKana = counts.some(({ name, count }) => KANA.includes(name) && count > 0);
  return isEastAsian && hasKana ? "Japanese" : best.name;
}

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- the range is the definition of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}
