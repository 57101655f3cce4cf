/** @file JSON values as a file wrote them: numbers keep what JavaScript's own parser loses. */

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

/** Strings, which are passed over, and numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Starts the text that stands for a number while JSON.parse runs; a text that holds it is parsed without them. */
const MARK = "\u{f0000}number:";

/**
 * Parses JSON. Whole numbers beyond 2^53 become bigints, whole ones written as fractions JsonFloat; all else is as JSON.parse gives it.
 * Throws SyntaxError.
 */
export function parseJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!/\d{16}|\d\.0|\d[eE]/.test(text) || text.includes(MARK)) return plain;
  const marked = text.replaceAll(TOKENS, (token) =>
    token.startsWith('"') || isKept(token) ? token : `"${MARK}${token}"`,
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK)
      ? toNumber(value.slice(MARK.length))
      : value,
  ) as unknown;
}

/** Whether JavaScript's number says the same as the token. */
function isKept(token: string): boolean {
  const number = Number(token);
  return /[.eE]/.test(token) ? !Number.isInteger(number) : Number.isSafeInteger(number);
}

function toNumber(token: string): bigint | JsonFloat {
  return /[.eE]/.test(token) ? new JsonFloat(Number(token)) : BigInt(token);
}
