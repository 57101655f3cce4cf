/** @file Filters of Jinja that give numbers. */
import { tableOf } from "./filter.ts";
import { numeric, roundTo, toFloat, toIndex } from "./numbers.ts";
import { binary, unary } from "./operators.ts";
import { toText } from "./print.ts";
import { PythonError, UnsupportedConstruct, typeError, valueError } from "./python-error.ts";
import { strip } from "./text.ts";
import { Undefined, type Value, textOf, typeName } from "./values.ts";

export const NUMBER_FILTERS = tableOf({
  abs: ["value", abs],
  int: ["/ value default? base?", toInt],
  float: ["/ value default?", toFloatOr],
  round: ["/ value precision? method?", round],
});

function abs(value: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const number = numeric(value);
  if (number === undefined) throw typeError(`bad operand type for abs(): '${typeName(value)}'`);
  return number < 0 ? unary("-", number) : typeof number === "number" ? Math.abs(number) : number;
}

function toInt(value: Value, other: Value = 0n, base: Value = 10n): Value {
  const text = textOf(value);
  if (value instanceof Undefined) return value.fail();
  const whole = text === undefined ? wholeOf(value) : parseWhole(text, toIndex(base));
  if (whole !== undefined) return whole;
  const float = text === undefined ? numeric(value) : readFloat(text);
  return typeof float === "number" && Number.isFinite(float) ? BigInt(Math.trunc(float)) : other;
}

function wholeOf(value: Value): bigint | undefined {
  const number = numeric(value);
  if (typeof number !== "number") return number;
  // int(inf) is an OverflowError, which the filter lets pass; int(nan) is not.
  if (Number.isNaN(number)) return undefined;
  if (!Number.isFinite(number))
    throw new PythonError("OverflowError", "cannot convert float infinity to integer");
  return BigInt(Math.trunc(number));
}

const PREFIXES: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16 };

/** `int(text, base)`; undefined where it is none. */
function parseWhole(text: string, base: number): bigint | undefined {
  if ((base < 2 && base !== 0) || base > 36)
    throw valueError("int() base must be >= 2 and <= 36, or 0");
  const [, sign = "", prefix = "", digits = ""] =
    /^([-+]?)(?:0([box])_?(?=[\da-z]))?([\da-z]+(?:_[\da-z]+)*)$/i.exec(
      asciiDigits(strip(text, "both")),
    ) ?? [];
  if (digits === "") return undefined;
  const ofPrefix = PREFIXES[prefix.toLowerCase()];
  // Where the base does not fit the prefix, its letters are digits: "0b1" in base 16.
  const fits = ofPrefix === undefined || base === 0 || base === ofPrefix;
  const all = fits ? digits : `0${prefix}${digits}`;
  const radix = base === 0 ? (ofPrefix ?? 10) : base;
  if (base === 0 && ofPrefix === undefined && /^0[0_]*[1-9]/.test(all)) return undefined;
  if (all.length > 4300)
    throw new UnsupportedConstruct("it reads a whole number of more than 4,300 digits");
  let number = 0n;
  for (const digit of all.replaceAll("_", "")) {
    const worth = parseInt(digit, 36);
    if (worth >= radix) return undefined;
    number = number * BigInt(radix) + BigInt(worth);
  }
  return sign === "-" ? -number : number;
}

/** Decimal digits of other scripts as those of ours. */
function asciiDigits(text: string): string {
  return text.replace(/(?![0-9])\p{Nd}/gu, (c) => {
    let zero = c.codePointAt(0)!; // a match has a character
    while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1)) && c.codePointAt(0)! - zero < 9) zero--;
    return String(c.codePointAt(0)! - zero);
  });
}

function readFloat(text: string): number | undefined {
  const trimmed = asciiDigits(strip(text, "both")).toLowerCase();
  const special = /^([-+]?)(inf|infinity|nan)$/.exec(trimmed);
  if (special !== null)
    return special[2] === "nan" ? NaN : special[1] === "-" ? -Infinity : Infinity;
  const isNumber =
    /^[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+(?:_\d+)*)?$/.test(
      trimmed,
    );
  return isNumber ? Number(trimmed.replaceAll("_", "")) : undefined;
}

function toFloatOr(value: Value, other: Value = 0): Value {
  if (value instanceof Undefined) return value.fail();
  const text = textOf(value);
  if (text !== undefined) return readFloat(text) ?? other;
  const number = numeric(value);
  return number === undefined ? other : toFloat(number);
}

function round(value: Value, precision: Value = 0n, method: Value = "common"): Value {
  const how = toText(method);
  if (!["common", "ceil", "floor"].includes(how))
    throw valueError("method must be common, ceil or floor");
  if (value instanceof Undefined) return value.fail();
  const number = numeric(value);
  if (number === undefined)
    throw typeError(`type ${typeName(value)} doesn't define __round__ method`);
  if (how === "common") return roundTo(number, toIndex(precision));
  const unit = binary("**", 10n, precision);
  const scaled = binary("*", number, unit);
  const float = toFloat(numeric(scaled)!); // a product of two numbers is one
  if (!Number.isFinite(float))
    throw new PythonError("OverflowError", "cannot convert float infinity to integer");
  const whole =
    typeof scaled === "bigint"
      ? scaled
      : BigInt(how === "ceil" ? Math.ceil(float) : Math.floor(float));
  return binary("/", whole, unit);
}
