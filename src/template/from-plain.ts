import { JsonFloat, orderedKeys } from "../format/json-value.ts";
import { Dict } from "./dict.ts";
import type { Value } from "./values.ts";

/**
 * JSON as a program holds it: a JsonValue or what JSON.parse gives. A `number` without a fraction is an int of Python; a float without
 * one, as JSON's `1.0`, has to be a JsonFloat.
 */
export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonFloat
  | readonly Plain[]
  /** A JSON object whose keys keep their order: JavaScript's objects put keys that look like whole numbers first. */
  | ReadonlyMap<string, Plain>
  | { readonly [key: string]: Plain | undefined };

/** The template's value of plain JSON. Members that are `undefined` are left out. */
export function fromPlain(plain: Plain): Value {
  if (plain === null || typeof plain === "boolean" || typeof plain === "string") return plain;
  if (typeof plain === "bigint") return plain;
  if (typeof plain === "number") return Number.isInteger(plain) ? BigInt(plain) : plain;
  if (plain instanceof JsonFloat) return plain.value;
  if (isList(plain)) return plain.map(fromPlain);
  const dict = new Dict();
  for (const [key, member] of entriesOf(plain)) {
    if (member !== undefined) dict.set(key, fromPlain(member));
  }
  return dict;
}

function entriesOf(
  plain: ReadonlyMap<string, Plain> | { readonly [key: string]: Plain | undefined },
): Iterable<readonly [string, Plain | undefined]> {
  if (isMap(plain)) return plain;
  return orderedKeys(plain).map((key) => [key, plain[key]] as const);
}

function isMap(plain: object): plain is ReadonlyMap<string, Plain> {
  return plain instanceof Map;
}

function isList(plain: Plain): plain is readonly Plain[] {
  return Array.isArray(plain);
}
