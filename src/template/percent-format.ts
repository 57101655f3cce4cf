/** @file The `%` of Python's str: `'%s has %d' % (name, count)`. */
import { Dict } from "./dict.ts";
import { fixed, numeric, toFloat, toIndex } from "./numbers.ts";
import { toRepr, toText } from "./print.ts";
import { PythonError, UnsupportedConstruct, typeError, valueError } from "./python-error.ts";
import { characters, lengthOf } from "./text.ts";
import { Range, Tuple, type Value, textOf, typeName } from "./values.ts";

const DIRECTIVE = /%(?:\(([^)]*)\))?([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([^])?/g;

/** `format % values`. `escape` is applied to each text that goes in. */
export function formatPercent(
  format: string,
  values: Value,
  escape: (value: Value) => string = toText,
): string {
  const queue = values instanceof Tuple ? [...values.values] : [values];
  let used = false;
  const next = (): Value => {
    const value = queue.shift();
    if (value === undefined) throw typeError("not enough arguments for format string");
    return value;
  };
  const text = format.replace(
    DIRECTIVE,
    (_, key?: string, flags = "", width?: string, precision?: string, type?: string) => {
      if (type === undefined) throw valueError("incomplete format");
      if (width === "*" || precision === "*") {
        throw new UnsupportedConstruct('it uses "*" as a width in a % format');
      }
      if (type === "%") return "%";
      used = true;
      const value = key === undefined ? next() : member(values, key);
      return pad(directive(type, value, precision, flags, escape), flags, width, type);
    },
  );
  const mayRemain = values instanceof Dict || values instanceof Range || Array.isArray(values);
  if (queue.length > 0 && !mayRemain && !(used && values instanceof Dict)) {
    throw typeError("not all arguments converted during string formatting");
  }
  return text;
}

function member(values: Value, key: string): Value {
  if (!(values instanceof Dict)) throw typeError("format requires a mapping");
  const value = values.get(key);
  if (value === undefined) throw new PythonError("KeyError", `'${key}'`);
  return value;
}

function directive(
  type: string,
  value: Value,
  precision: string | undefined,
  flags: string,
  escape: (value: Value) => string,
): string {
  if (type === "s" || type === "r") {
    const text = type === "s" ? escape(value) : toRepr(value);
    return precision === undefined ? text : characters(text).slice(0, Number(precision)).join("");
  }
  if (type === "c") {
    const text = textOf(value);
    return text ?? String.fromCodePoint(toIndex(value, "%c"));
  }
  const number = numeric(value);
  if (number === undefined) {
    throw typeError(`%${type} format: a real number is required, not ${typeName(value)}`);
  }
  return withSign(numberText(type, number, precision, flags.includes("#")), flags);
}

/** Digits of a number for the letters that Python shares between `%` and format(). */
export function numberText(
  type: string,
  number: bigint | number,
  precision: string | undefined,
  alternate = false,
): string {
  if ("diu".includes(type)) return wholeText(number, 10);
  if ("xXo".includes(type)) {
    if (typeof number !== "bigint")
      throw typeError(`%${type} format: an integer is required, not float`);
    const text = wholeText(number, type === "o" ? 8 : 16);
    const prefixed = alternate
      ? text.replace(/^-?/, (sign) => `${sign}0${type.toLowerCase()}`)
      : text;
    return type === "X" ? prefixed.toUpperCase() : prefixed;
  }
  const value = toFloat(number);
  const digits = precision === undefined ? 6 : Number(precision);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (digits > 60) throw new UnsupportedConstruct("it formats a number with more than 60 digits");
  if (type === "f" || type === "F") return fixed(value, digits);
  if (type === "e" || type === "E") return letter(exponential(value, digits), type);
  if (type === "g" || type === "G") return letter(general(value, digits === 0 ? 1 : digits), type);
  throw valueError(`unsupported format character '${type}'`);
}

function wholeText(number: bigint | number, radix: number): string {
  return (typeof number === "bigint" ? number : BigInt(Math.trunc(number))).toString(radix);
}

function exponential(value: number, digits: number): string {
  return value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
}

function general(value: number, digits: number): string {
  const power = Number(value.toExponential(digits - 1).split("e")[1]);
  const text =
    power < -4 || power >= digits
      ? exponential(value, digits - 1)
      : fixed(value, digits - 1 - power);
  return text.includes(".") ? text.replace(/\.?0+(?=e|$)/, "") : text;
}

function letter(text: string, type: string): string {
  return type === type.toUpperCase() ? text.toUpperCase() : text;
}

function withSign(text: string, flags: string): string {
  if (text.startsWith("-")) return text;
  return flags.includes("+") ? `+${text}` : flags.includes(" ") ? ` ${text}` : text;
}

function pad(text: string, flags: string, width: string | undefined, type: string): string {
  const missing = Number(width ?? 0) - lengthOf(text);
  if (missing > 10_000)
    throw new UnsupportedConstruct("it pads a text to more than 10,000 characters");
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0") || "srca".includes(type)) return " ".repeat(missing) + text;
  return text.replace(/^[+\- ]?(?:0[xXo])?/, (head) => head + "0".repeat(missing));
}
