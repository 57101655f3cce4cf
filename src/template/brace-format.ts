/** @file `'{} {name:>5}'.format(…)` of Python's str. */
import { Dict } from "./dict.ts";
import { numeric } from "./numbers.ts";
import { numberText } from "./percent-format.ts";
import { toRepr, toText } from "./print.ts";
import { PythonError, UnsupportedConstruct, valueError } from "./python-error.ts";
import { characters, lengthOf } from "./text.ts";
import { type Keywords, type Value, textOf } from "./values.ts";

const FIELD = /\{\{|\}\}|\{([^{}!:]*)(?:!([^{}:]*))?(?::([^{}]*))?\}|[{}]/g;
const SPEC = /^(?:([^])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/u;

/** How a field gets at members of a value: `{0.name}` and `{0[key]}`. */
export interface Lookups {
  readonly attribute: (value: Value, name: string) => Value;
  readonly item: (value: Value, key: Value) => Value;
}

/** Fields by position come from `args`, those with a name from `named`. */
export function formatBraces(
  format: string,
  args: readonly Value[],
  named: Keywords | Value,
  lookups: Lookups,
): string {
  let automatic = 0;
  let isByNumber = false;
  return format.replace(FIELD, (field, path?: string, conversion?: string, spec = "") => {
    if (field === "{{" || field === "}}") return field[0]!;
    if (path === undefined) throw braceError(field);
    const [, head = "", rest = ""] = /^([^.[]*)(.*)$/s.exec(path) ?? [];
    // As Python's Formatter has it, only a field without any path is counted.
    const isAutomatic = path === "";
    isByNumber ||= /^\d+$/.test(head);
    if (isByNumber && (isAutomatic || automatic > 0)) {
      throw valueError(
        "cannot switch between automatic field numbering and manual field specification",
      );
    }
    const first = isAutomatic ? positional(args, automatic++) : byHead(head, args, named);
    const value = follow(first, rest, lookups);
    if (conversion === undefined) return formatted(value, spec);
    if (conversion === "r") return formatted(toRepr(value), spec);
    if (conversion === "s") return formatted(toText(value), spec);
    throw new UnsupportedConstruct(`it uses the conversion !${conversion} in format()`);
  });
}

function braceError(field: string): Error {
  return field === "{"
    ? new UnsupportedConstruct("it has a brace in a format() string that is no plain field")
    : valueError("Single '}' encountered in format string");
}

function positional(args: readonly Value[], index: number): Value {
  const value = args[index];
  if (value !== undefined) return value;
  throw new PythonError(
    "IndexError",
    `Replacement index ${index} out of range for positional args tuple`,
  );
}

function byHead(head: string, args: readonly Value[], named: Keywords | Value): Value {
  if (/^\d+$/.test(head)) return positional(args, Number(head));
  const value =
    named instanceof Map ? named.get(head) : named instanceof Dict ? named.get(head) : undefined;
  if (value === undefined) throw new PythonError("KeyError", `'${head}'`);
  return value;
}

function follow(value: Value, path: string, lookups: Lookups): Value {
  let result = value;
  for (const [, name, key] of path.matchAll(/\.([^.[]*)|\[([^\]]*)\]/g)) {
    if (name !== undefined) result = lookups.attribute(result, name);
    else result = lookups.item(result, /^\d+$/.test(key ?? "") ? BigInt(key!) : (key ?? ""));
  }
  return result;
}

function formatted(value: Value, spec: string): string {
  if (spec === "") return toText(value);
  const match = SPEC.exec(spec);
  const number = typeof value === "boolean" ? undefined : numeric(value);
  if (match === null || (number === undefined && textOf(value) === undefined)) {
    throw new UnsupportedConstruct(
      `it uses the format "${spec}" for a value that is not supported`,
    );
  }
  const [, fill, align, sign = "-", alternate, zero, width, grouping, precision, type] = match;
  const filler = fill ?? (zero === undefined ? " " : "0");
  if (number === undefined) {
    if ((type ?? "s") !== "s" || grouping !== undefined || align === "=") {
      throw valueError(`Unknown format code '${type}' for object of type 'str'`);
    }
    const text = toText(value);
    const cut =
      precision === undefined ? text : characters(text).slice(0, Number(precision)).join("");
    return aligned(cut, filler, align ?? "<", width);
  }
  const digits = numberDigits(number, type, precision, alternate !== undefined, grouping);
  const signed = digits.startsWith("-") || sign === "-" ? digits : sign + digits;
  return aligned(signed, filler, align ?? (zero === undefined ? ">" : "="), width);
}

function numberDigits(
  number: bigint | number,
  type: string | undefined,
  precision: string | undefined,
  alternate: boolean,
  grouping: string | undefined,
): string {
  if (type === "b" || type === "n" || type === "%" || type === "c" || type === "s") {
    throw new UnsupportedConstruct(`it uses the format type "${type}"`);
  }
  const isInt = typeof number === "bigint";
  if (isInt && precision !== undefined && (type === undefined || "dxXo".includes(type))) {
    throw valueError("Precision not allowed in integer format specifier");
  }
  if (!isInt && type !== undefined && "dxXo".includes(type)) {
    throw valueError(`Unknown format code '${type}' for object of type 'float'`);
  }
  if (type === undefined && !isInt && precision !== undefined) {
    throw new UnsupportedConstruct("it formats a number with a precision and without a type");
  }
  const text = type === undefined ? toText(number) : numberText(type, number, precision, alternate);
  if (grouping === undefined) return text;
  return text.replace(/^-?\d+/, (whole) => whole.replace(/\d(?=(?:\d{3})+$)/g, `$&${grouping}`));
}

function aligned(text: string, fill: string, align: string, width: string | undefined): string {
  const missing = Number(width ?? 0) - lengthOf(text);
  if (missing <= 0) return text;
  if (missing > 10_000)
    throw new UnsupportedConstruct("it pads a text to more than 10,000 characters");
  if (align === "<") return text + fill.repeat(missing);
  if (align === ">") return fill.repeat(missing) + text;
  if (align === "^") {
    const left = Math.floor(missing / 2);
    return fill.repeat(left) + text + fill.repeat(missing - left);
  }
  return text.replace(/^[+\- ]?(?:0[xXo])?/, (head) => head + fill.repeat(missing));
}
