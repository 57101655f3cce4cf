/** @file The methods of Python's str. Positions count code points. */
import { type Parameters, native } from "./arguments.ts";
import { escapeHtml } from "./markup.ts";
import { toIndex } from "./numbers.ts";
import { UnsupportedConstruct, typeError, valueError } from "./python-error.ts";
import { searchMethods } from "./string-search.ts";
import * as texts from "./text.ts";
import { Markup, Tuple, type Value, isTrue, iterate, textOf, typeName } from "./values.ts";

type Given = Value | undefined;
/** A method without its text: parameters, and what it does. */
export type Method = readonly [Parameters, (text: string, ...args: Given[]) => Value];

/** A str argument; anything else is a TypeError. */
export function needText(value: Given, method: string): string {
  const text = textOf(value ?? null);
  if (text === undefined)
    throw typeError(`${method}() argument must be str, not ${typeName(value ?? null)}`);
  return text;
}

/** An optional count: undefined and negative ones mean all. */
function limit(value: Given): number {
  const count = value === undefined ? -1 : toIndex(value);
  return count < 0 ? Infinity : count;
}

function stripping(side: "both" | "left" | "right", name: string): Method {
  return [
    "characters?",
    (text, characters = null) =>
      texts.strip(text, side, characters === null ? undefined : needText(characters, name)),
  ];
}

function padded(
  name: string,
  sides: (missing: number, width: number) => readonly [number, number],
): Method {
  return [
    "width fill?",
    (text, width, fill = " ") => {
      const missing = toIndex(width!) - texts.lengthOf(text);
      const filler = needText(fill, name);
      if (texts.lengthOf(filler) !== 1)
        throw typeError("The fill character must be exactly one character long");
      if (missing <= 0) return text;
      if (missing > texts.MAX_TEXT_LENGTH)
        throw new UnsupportedConstruct(`${name}() makes too long a text`);
      const [left, right] = sides(missing, toIndex(width!));
      return filler.repeat(left) + text + filler.repeat(right);
    },
  ];
}

function predicate(test: (text: string) => boolean): Method {
  return ["", (text) => test(text)];
}

const METHODS: Readonly<Record<string, Method>> = {
  ...searchMethods,
  upper: ["", (text) => text.toUpperCase()],
  lower: ["", (text) => text.toLowerCase()],
  title: ["", texts.titleCase],
  capitalize: ["", texts.capitalize],
  swapcase: ["", texts.swapCase],
  strip: stripping("both", "strip"),
  lstrip: stripping("left", "lstrip"),
  rstrip: stripping("right", "rstrip"),
  split: ["/ sep? maxsplit?", (text, sep = null, max) => split(text, sep, limit(max))],
  rsplit: ["/ sep? maxsplit?", (text, sep = null, max) => splitFromRight(text, sep, limit(max))],
  splitlines: ["/ keepends?", (text, keep = false) => texts.splitLines(text, isTrue(keep))],
  replace: [
    "old new count?",
    (text, old, fresh, count) =>
      replace(text, needText(old, "replace"), needText(fresh, "replace"), limit(count)),
  ],
  join: ["iterable", (text, iterable) => join(text, iterable!)],
  partition: ["sep", (text, sep) => partition(text, needText(sep, "partition"), "first")],
  rpartition: ["sep", (text, sep) => partition(text, needText(sep, "rpartition"), "last")],
  removeprefix: [
    "prefix",
    (text, prefix) => {
      const start = needText(prefix, "removeprefix");
      return text.startsWith(start) ? text.slice(start.length) : text;
    },
  ],
  removesuffix: [
    "suffix",
    (text, suffix) => {
      const end = needText(suffix, "removesuffix");
      return end !== "" && text.endsWith(end) ? text.slice(0, -end.length) : text;
    },
  ],
  ljust: padded("ljust", (missing) => [0, missing]),
  rjust: padded("rjust", (missing) => [missing, 0]),
  center: padded("center", (missing, width) => {
    const left = Math.floor(missing / 2) + (missing & width & 1);
    return [left, missing - left];
  }),
  zfill: [
    "width",
    (text, width) => {
      const missing = Math.max(0, toIndex(width!) - texts.lengthOf(text));
      if (missing > texts.MAX_TEXT_LENGTH)
        throw new UnsupportedConstruct("zfill() makes too long a text");
      return text.replace(/^[+-]?/, (sign) => sign + "0".repeat(missing));
    },
  ],
  expandtabs: ["/ tabsize?", (text, size = 8n) => expandTabs(text, toIndex(size))],
  isupper: predicate(texts.isUpper),
  islower: predicate(texts.isLower),
  istitle: predicate(texts.isTitle),
  isspace: predicate(texts.isAllSpace),
  isalnum: predicate(
    (text) => text !== "" && texts.characters(text).every((c) => /^[\p{L}\p{N}]$/u.test(c)),
  ),
  ...Object.fromEntries(
    Object.entries(texts.ALL_CHARACTERS).map(([name, all]) => [
      name,
      predicate((t) => all.test(t)),
    ]),
  ),
};

/** Methods that Python's str has and this interpreter has not. */
export const UNSUPPORTED_STRING_METHODS: ReadonlySet<string> = new Set([
  "casefold",
  "encode",
  "translate",
  "maketrans",
]);

/** A method of a text, undefined where str has none of that name. */
export function stringMethod(text: string | Markup, name: string): Value | undefined {
  if (UNSUPPORTED_STRING_METHODS.has(name)) {
    throw new UnsupportedConstruct(`it uses the str method ${name}()`);
  }
  if (!Object.hasOwn(METHODS, name)) return undefined;
  const [parameters, run] = METHODS[name]!;
  if (typeof text === "string") return native(name, parameters, (...args) => run(text, ...args));
  return native(name, parameters, (...args) =>
    marked(run(text.text, ...args.map((arg, i) => escaped(name, arg, i)))),
  );
}

/** Arguments that become part of Markup are escaped. */
function escaped(method: string, argument: Given, index: number): Given {
  if (argument === undefined) return argument;
  if (method === "join") return [...iterate(argument)].map(escapeHtml);
  const goesIn =
    (method === "replace" && index === 1) || (/just$|^center$/.test(method) && index === 1);
  return goesIn ? escapeHtml(argument) : argument;
}

function marked(result: Value): Value {
  if (typeof result === "string") return new Markup(result);
  if (Array.isArray(result)) return result.map(marked);
  return result instanceof Tuple ? new Tuple(result.values.map(marked)) : result;
}

function split(text: string, sep: Value, max: number): Value {
  if (sep === null) return texts.splitAtSpaces(text, max);
  const separator = separatorOf(sep);
  const parts = text.split(separator);
  return max >= parts.length ? parts : [...parts.slice(0, max), parts.slice(max).join(separator)];
}

function splitFromRight(text: string, sep: Value, max: number): Value {
  if (sep === null) return texts.splitAtSpacesFromRight(text, max);
  const separator = separatorOf(sep);
  const parts: string[] = [];
  let rest = text;
  for (let at = rest.lastIndexOf(separator); at >= 0 && parts.length < max;) {
    parts.unshift(rest.slice(at + separator.length));
    rest = rest.slice(0, at);
    at = rest === "" ? -1 : rest.lastIndexOf(separator);
  }
  return [rest, ...parts];
}

function separatorOf(sep: Value): string {
  const separator = needText(sep, "split");
  if (separator === "") throw valueError("empty separator");
  return separator;
}

function replace(text: string, old: string, fresh: string, max: number): string {
  if (old === "") {
    const points = texts.characters(text);
    const parts = points.map((c, i) => (i < max ? fresh + c : c));
    return parts.join("") + (points.length < max ? fresh : "");
  }
  const parts = text.split(old);
  if (max >= parts.length - 1) return parts.join(fresh);
  return [parts.slice(0, max + 1).join(fresh), ...parts.slice(max + 1)].join(old);
}

function join(separator: string, iterable: Value): string {
  const parts = [...iterate(iterable)].map((item, i) => {
    const text = textOf(item);
    if (text !== undefined) return text;
    throw typeError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
  });
  return parts.join(separator);
}

function partition(text: string, sep: string, which: "first" | "last"): Value {
  if (sep === "") throw valueError("empty separator");
  const at = which === "first" ? text.indexOf(sep) : text.lastIndexOf(sep);
  if (at < 0) return new Tuple(which === "first" ? [text, "", ""] : ["", "", text]);
  return new Tuple([text.slice(0, at), sep, text.slice(at + sep.length)]);
}

function expandTabs(text: string, size: number): string {
  let column = 0;
  return texts
    .characters(text)
    .map((c) => {
      if (c === "\n" || c === "\r") column = 0;
      if (c !== "\t") {
        if (c !== "\n" && c !== "\r") column++;
        return c;
      }
      const spaces = size > 0 ? size - (column % size) : 0;
      column += spaces;
      return " ".repeat(spaces);
    })
    .join("");
}
