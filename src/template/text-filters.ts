import { NO_KEYWORDS } from "./arguments.ts";
/** @file Filters of Jinja that give text. */
import { onlyAttribute } from "./attributes.ts";
import { Dict } from "./dict.ts";
import { tableOf } from "./filter.ts";
import { sizeOf } from "./length.ts";
import { escapeHtml } from "./markup.ts";
import { toIndex } from "./numbers.ts";
import { toText } from "./print.ts";
import { PythonError, UnsupportedConstruct, typeError, valueError } from "./python-error.ts";
import { takeSlice } from "./slices.ts";
import { stringMethod } from "./string-methods.ts";
import { MAX_TEXT_LENGTH, PYTHON_SPACES, lengthOf, splitLines } from "./text.ts";
import { toJson } from "./to-json.ts";
import {
  Markup,
  Thing,
  Undefined,
  type Value,
  isTrue,
  iterate,
  textOf,
  typeName,
} from "./values.ts";

type Given = Value | undefined;

/** The str method of that name, of the value's text; Markup stays Markup. */
function method(value: Value, name: string, ...args: readonly Value[]): Value {
  const text = value instanceof Markup ? value : toText(value);
  const found = stringMethod(text, name);
  if (!(found instanceof Thing) || found.call === undefined)
    throw new Error(`internal: str.${name}`);
  return found.call(args, NO_KEYWORDS);
}

export const TEXT_FILTERS = tableOf({
  upper: ["/ s", (value: Value) => method(value, "upper")],
  lower: ["/ s", (value: Value) => method(value, "lower")],
  capitalize: ["/ s", (value: Value) => method(value, "capitalize")],
  title: ["/ s", title],
  trim: ["/ value chars?", (value: Value, chars: Value = null) => method(value, "strip", chars)],
  center: ["/ value width?", (value: Value, width: Value = 80n) => method(value, "center", width)],
  string: ["/ object", (value: Value) => (value instanceof Markup ? value : toText(value))],
  replace: ["/ s old new count?", replace],
  wordcount: [
    "/ s",
    (value: Value) => BigInt(toText(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
  ],
  indent: ["/ s width? first? blank?", indent],
  truncate: ["/ s length? killwords? end? leeway?", truncate],
  escape: ["/ s", (value: Value) => new Markup(escapeHtml(value))],
  e: ["/ s", (value: Value) => new Markup(escapeHtml(value))],
  forceescape: ["/ value", (value: Value) => new Markup(escapeHtml(toText(value)))],
  safe: ["/ value", (value: Value) => new Markup(toText(value))],
  urlencode: ["/ value", urlencode],
  attr: ["/ obj name", (value: Value, name: Value) => onlyAttribute(value, toText(name))],
  tojson: [
    "/ x ensure_ascii? indent? separators? sort_keys?",
    (value: Value, ensureAscii: Given, indentation: Given, separators: Given, sortKeys: Given) =>
      toJson(value, { ensureAscii, indent: indentation, separators, sortKeys }),
  ],
});

const WORD_STARTS = new RegExp(`([-${PYTHON_SPACES}({[<]+)`);

/** Words begin behind blanks, dashes and opening brackets; each has a capital and small letters. */
function title(value: Value): Value {
  const words = toText(value).split(WORD_STARTS);
  return words
    .map((word) => {
      const [first = ""] = word;
      return first.toUpperCase() + word.slice(first.length).toLowerCase();
    })
    .join("");
}

function replace(value: Value, old: Value, fresh: Value, count: Value = null): Value {
  return method(toText(value), "replace", toText(old), toText(fresh), count ?? -1n);
}

function indent(
  value: Value,
  width: Value = 4n,
  first: Value = false,
  blank: Value = false,
): Value {
  const text = textOf(value);
  if (value instanceof Undefined) return value.fail();
  if (text === undefined)
    throw typeError(`unsupported operand type(s) for +=: '${typeName(value)}' and 'str'`);
  if (value instanceof Markup) throw new UnsupportedConstruct("it indents text marked as safe");
  const by = textOf(width) ?? spaces(toIndex(width));
  const lines = splitLines(`${text}\n`, false);
  const rest = lines.slice(1).map((line) => (line !== "" || isTrue(blank) ? by + line : line));
  return (isTrue(first) ? by : "") + [lines[0], ...rest].join("\n");
}

function spaces(count: number): string {
  if (count > MAX_TEXT_LENGTH) throw new UnsupportedConstruct("it indents too far");
  return " ".repeat(Math.max(0, count));
}

function truncate(
  value: Value,
  length: Value = 255n,
  killWords: Value = false,
  end: Value = "...",
  leeway: Value = null,
): Value {
  const [limit, tail] = [toIndex(length), toText(end)];
  const tolerance = leeway === null ? 5 : toIndex(leeway);
  const tailLength = lengthOf(tail);
  if (limit < tailLength || tolerance < 0) {
    throw new PythonError("AssertionError", `expected length >= ${tailLength}, got ${limit}`);
  }
  const size = sizeOf(value);
  if (size === undefined) throw typeError(`object of type '${typeName(value)}' has no len()`);
  if (size <= limit + tolerance) return value;
  const text = textOf(value);
  if (text === undefined) throw typeError(`can only cut text, not ${typeName(value)}`);
  const kept = textOf(
    takeSlice(text, { start: null, stop: BigInt(limit - tailLength), step: null }),
  )!;
  if (isTrue(killWords)) return kept + tail;
  const space = kept.lastIndexOf(" ");
  return (space < 0 ? kept : kept.slice(0, space)) + tail;
}

function urlencode(value: Value): Value {
  if (textOf(value) !== undefined || !isIterable(value)) return quoteUrl(toText(value), true);
  const pairs =
    value instanceof Dict
      ? [...value.entries()]
      : [...iterate(value)].map((pair) => [...iterate(pair)]);
  if (pairs.some((pair) => pair.length !== 2)) throw valueError("urlencode takes pairs");
  return pairs.map(([key, member]) => `${quoteQuery(key)}=${quoteQuery(member)}`).join("&");
}

function isIterable(value: Value): boolean {
  return Array.isArray(value) || (value instanceof Thing && value.items !== undefined);
}

function quoteQuery(value: Value = null): string {
  return quoteUrl(toText(value), false).replaceAll("%20", "+");
}

function quoteUrl(text: string, keepSlash: boolean): string {
  const quoted = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return keepSlash ? quoted.replaceAll("%2F", "/") : quoted;
}
