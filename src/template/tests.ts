/** @file Jinja's tests: `x is name`. */
import { Dict, isEqual } from "./dict.ts";
import { type Table, tableOf } from "./filter.ts";
import { sizeOf } from "./length.ts";
import { numeric } from "./numbers.ts";
import { type ComparisonOp, binary, compare } from "./operators.ts";
import { toText } from "./print.ts";
import { isLower, isUpper } from "./text.ts";
import { Markup, Range, Thing, Tuple, Undefined, type Value, textOf } from "./values.ts";

type Unary = readonly ["value", (value: Value) => boolean];
type Binary = readonly ["a b", (a: Value, b: Value) => boolean];

function comparison(op: ComparisonOp): Binary {
  return ["a b", (a, b) => compare(op, a, b)];
}

function remainder(divisor: bigint, expected: bigint): Unary {
  return ["value", (value) => isEqual(binary("%", value, divisor), expected)];
}

const is = (test: (value: Value) => boolean): Unary => ["value", test];

export const comparisonTests: Table = tableOf({
  odd: remainder(2n, 1n),
  even: remainder(2n, 0n),
  divisibleby: ["/ value num", (value: Value, by: Value) => isEqual(binary("%", value, by), 0n)],
  defined: is((value) => !(value instanceof Undefined)),
  undefined: is((value) => value instanceof Undefined),
  none: is((value) => value === null),
  boolean: is((value) => typeof value === "boolean"),
  true: is((value) => value === true),
  false: is((value) => value === false),
  integer: is((value) => typeof value === "bigint"),
  float: is((value) => typeof value === "number"),
  number: is((value) => numeric(value) !== undefined),
  string: is((value) => textOf(value) !== undefined),
  mapping: is((value) => value instanceof Dict),
  sequence: is(isSequence),
  iterable: is(isIterable),
  callable: is(
    (value) => value instanceof Undefined || (value instanceof Thing && value.call !== undefined),
  ),
  lower: is((value) => isLower(toText(value))),
  upper: is((value) => isUpper(toText(value))),
  escaped: is((value) => value instanceof Markup),
  sameas: ["/ value other", (a: Value, b: Value) => isIdentical(a, b)],
  in: ["/ value seq", (a: Value, b: Value) => compare("in", a, b)],
  "==": comparison("=="),
  eq: comparison("=="),
  equalto: comparison("=="),
  "!=": comparison("!="),
  ne: comparison("!="),
  ">": comparison(">"),
  gt: comparison(">"),
  greaterthan: comparison(">"),
  ">=": comparison(">="),
  ge: comparison(">="),
  "<": comparison("<"),
  lt: comparison("<"),
  lessthan: comparison("<"),
  "<=": comparison("<="),
  le: comparison("<="),
});

/** It has a length and members by index. Undefined has both; a view of a dict and an iterator have not. */
function isSequence(value: Value): boolean {
  if (value instanceof Undefined || value instanceof Dict || value instanceof Tuple) return true;
  if (value instanceof Range || value instanceof Markup) return true;
  return Array.isArray(value) || (typeof value === "string" && sizeOf(value) !== undefined);
}

function isIterable(value: Value): boolean {
  if (Array.isArray(value) || textOf(value) !== undefined) return true;
  return value instanceof Thing && value.items !== undefined;
}

/** `a is b`. Python keeps one object each for none, true, false and small whole numbers, and for equal constants. */
function isIdentical(a: Value, b: Value): boolean {
  if (a instanceof Undefined && b instanceof Undefined) return a === b;
  return a === b;
}
