/** @file Where things stand in a JSON text, without parsing it: its strings, and a key that one object has twice. */
import { FormatError } from "./errors.ts";

/** The offset behind the closing quote of a string that opens at `start`. `text` must be valid JSON. */
export function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    if (at === -1) throw new Error("internal: a JSON string that does not end");
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return at + 1;
  }
}

/** The offset of what comes behind white space. */
export function skipSpace(text: string, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return at;
}

/** A key that an object has already. */
export interface TwiceKey {
  readonly key: string;
  /** Of the second one, from 1. */
  readonly line: number;
}

/**
 * The first key that an object of the text has twice, of which JSON.parse keeps the last and lets go of the other; undefined where there
 * is none. `value` is what the text parses to. Only a text with more colons behind quotes than its value has members is looked through.
 */
export function findTwiceKey(text: string, value: unknown): TwiceKey | undefined {
  return countColons(text) === countMembers(value) ? undefined : scanKeys(text);
}

const QUOTE = 0x22;
const SPACE = 0x20;

/** Every key has one; a string may have more, behind its first quote or one that is escaped. Colons are fewer than quotes. */
function countColons(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) <= SPACE) before--;
    if (text.charCodeAt(before) === QUOTE) count++;
  }
  return count;
}

/** Without recursion: a value may be nested deeper than calls can be. */
function countMembers(value: unknown): number {
  let count = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const each = open.pop();
    if (typeof each !== "object" || each === null) continue;
    if (Array.isArray(each)) {
      for (const member of each) if (typeof member === "object") open.push(member);
      continue;
    }
    // A number that a reader keeps as it was written.
    if (Object.getPrototypeOf(each) !== Object.prototype) continue;
    for (const member of Object.values(each)) {
      count++;
      if (typeof member === "object") open.push(member);
    }
  }
  return count;
}

/** What is neither a string nor the beginning or the end of an object. */
const BETWEEN = /[^"{}]*/y;

function scanKeys(text: string): TwiceKey | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; ;) {
    BETWEEN.lastIndex = at;
    BETWEEN.test(text);
    at = BETWEEN.lastIndex;
    const sign = text[at];
    if (sign === undefined) return undefined;
    if (sign !== '"') {
      if (sign === "{") open.push(new Set());
      else open.pop();
      at++;
      continue;
    }
    const end = stringEnd(text, at);
    if (text[skipSpace(text, end)] === ":") {
      const key = JSON.parse(text.slice(at, end)) as string; // a string's text
      const keys = open.at(-1)!; // a key stands in an object
      if (keys.has(key)) return { key, line: text.slice(0, at).split("\n").length };
      keys.add(key);
    }
    at = end;
  }
}

/** A key in an error; one that is no plain name may be any text, and stays out of it. */
export const quoteKey = (key: string): string =>
  /^[\w. -]{1,60}$/.test(key) ? `"${key}"` : "a key";

/**
 * Throws FormatError naming file and line where an object of a file's text has a key twice; `value` is what the text parses to, which begins on
 * the line `firstLine`.
 */
export function expectKeysOnce(path: string, text: string, value: unknown, firstLine = 1): void {
  const twice = findTwiceKey(text, value);
  if (twice === undefined) return;
  throw new FormatError(
    `${path}, line ${firstLine + twice.line - 1}: expected each key of an object once, got ${quoteKey(twice.key)} twice`,
    { hint: "Take one of the two out: they may say different things." },
  );
}
