/** @file JSON values as a file wrote them: numbers and key order keep what JavaScript's own parser loses. */

/** A number that was written as a fraction or with an exponent and is whole: 20.0, which Python prints as 20.0 and not as 20. */
export class JsonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): number {
    return this.value;
  }
}

/** A JSON value; a whole number beyond 2^53 is a bigint. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | bigint
  | JsonFloat
  | readonly JsonValue[]
  | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Strings, with the colon behind a key, and numbers. */
const TOKENS = /"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Starts the text that stands for a number or a key while JSON.parse runs; a text that holds it is parsed without them. */
const MARK = "\u{f0000}culprit:";

/** The keys of objects that JavaScript would list in another order: it puts keys like "1" first. */
const keyOrders = new WeakMap<object, readonly string[]>();

/**
 * Parses JSON. Whole numbers beyond 2^53 become bigints, whole ones written as fractions JsonFloat; all else is as JSON.parse gives it.
 * orderedKeys has the keys of an object as they were written. Throws SyntaxError.
 */
export function parseJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!/\d{16}|\d\.0|\d[eE]|"\d+"\s*:/.test(text) || text.includes(MARK)) return plain;
  const marked = text.replaceAll(TOKENS, (token, content?: string, colon?: string) => {
    if (content === undefined) return isKept(token) ? token : `"${MARK}${token}"`;
    return colon !== undefined && /^\d+$/.test(content) ? `"${MARK}${content}"${colon}` : token;
  });
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value === "string") return value.startsWith(MARK) ? toNumber(unmark(value)) : value;
    const isPlain = typeof value !== "object" || value === null || Array.isArray(value);
    if (isPlain || !Object.keys(value).some((key) => key.startsWith(MARK))) return value;
    return objectOf(Object.entries(value).map(([key, member]) => [unmark(key), member]));
  }) as unknown;
}

/** An object of entries, whose order orderedKeys knows. */
export function objectOf(
  entries: readonly (readonly [string, unknown])[],
): Readonly<Record<string, unknown>> {
  const object = Object.fromEntries(entries);
  const keys = [...new Set(entries.map(([key]) => key))];
  if (Object.keys(object).some((key, i) => key !== keys[i])) keyOrders.set(object, keys);
  return object;
}

/** The keys of an object as its file wrote them. */
export function orderedKeys(object: object): readonly string[] {
  return keyOrders.get(object) ?? Object.keys(object);
}

function unmark(text: string): string {
  return text.startsWith(MARK) ? text.slice(MARK.length) : text;
}

/** Whether JavaScript's number says the same as the token. */
function isKept(token: string): boolean {
  const number = Number(token);
  return /[.eE]/.test(token) ? !Number.isInteger(number) : Number.isSafeInteger(number);
}

function toNumber(token: string): bigint | JsonFloat {
  return /[.eE]/.test(token) ? new JsonFloat(Number(token)) : BigInt(token);
}
