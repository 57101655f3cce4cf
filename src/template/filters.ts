/** @file All filters by name, and those that call other filters and tests. */
import { attributePath } from "./attributes.ts";
import { Dict } from "./dict.ts";
import type { Table } from "./filter.ts";
import { LIST_FILTERS } from "./list-filters.ts";
import { NUMBER_FILTERS } from "./number-filters.ts";
import { formatPercent } from "./percent-format.ts";
import { toText } from "./print.ts";
import { PythonError, UnsupportedConstruct, valueError } from "./python-error.ts";
import { comparisonTests } from "./tests.ts";
import { TEXT_FILTERS } from "./text-filters.ts";
import {
  Callable,
  type Keywords,
  Lazy,
  Markup,
  Tuple,
  type Value,
  isTrue,
  iterate,
} from "./values.ts";

/** Filters that Jinja has and this interpreter has not: they are random, format for people, or write HTML. */
export const UNSUPPORTED_FILTERS: ReadonlySet<string> = new Set([
  "filesizeformat",
  "pprint",
  "random",
  "striptags",
  "urlize",
  "wordwrap",
  "xmlattr",
]);

type Run = (args: readonly Value[], keywords: Keywords) => Value;

const CALLING: Readonly<Record<string, Run>> = {
  map,
  select: (args, keywords) => select(args, keywords, false, true),
  reject: (args, keywords) => select(args, keywords, false, false),
  selectattr: (args, keywords) => select(args, keywords, true, true),
  rejectattr: (args, keywords) => select(args, keywords, true, false),
  format,
};

export const FILTERS: Table = new Map([
  ...TEXT_FILTERS,
  ...NUMBER_FILTERS,
  ...LIST_FILTERS,
  ...Object.entries(CALLING).map(([name, run]) => [name, new Callable(name, run)] as const),
]);

/** All tests by name. Two of them ask for the names of filters and tests. */
export const TESTS: Table = new Map([
  ...comparisonTests,
  ["filter", nameTest((name) => FILTERS.has(name) || UNSUPPORTED_FILTERS.has(name))],
  ["test", nameTest((name) => TESTS.has(name))],
]);

function nameTest(has: (name: string) => boolean): Callable {
  return new Callable("name", ([name]) => has(toText(name ?? null)));
}

function lookUp(table: Table, kind: "filter" | "test", name: Value): Callable {
  const text = toText(name);
  const found = table.get(text);
  if (found !== undefined) return found;
  if (kind === "filter" && UNSUPPORTED_FILTERS.has(text)) {
    throw new UnsupportedConstruct(`it uses the filter "${text}"`);
  }
  throw new PythonError("RuntimeError", `No ${kind} named '${text}'.`);
}

function map([value = null, ...args]: readonly Value[], keywords: Keywords): Value {
  function* results(): Iterable<Value> {
    if (!isTrue(value)) return;
    const apply = mapping(args, keywords);
    for (const item of iterate(value)) yield apply(item);
  }
  return new Lazy(results());
}

function mapping([name, ...args]: readonly Value[], keywords: Keywords): (item: Value) => Value {
  const attribute = keywords.get("attribute");
  if (name === undefined && attribute !== undefined) {
    const unknown = [...keywords.keys()].find((key) => key !== "attribute" && key !== "default");
    if (unknown !== undefined) throw valueError(`Unexpected keyword argument '${unknown}'`);
    const path = attributePath(attribute);
    const other = keywords.get("default");
    return (item) => path(item, other);
  }
  if (name === undefined) throw valueError("map requires a filter argument");
  const filter = lookUp(FILTERS, "filter", name);
  return (item) => filter.call([item, ...args], keywords);
}

function select(
  [value = null, ...args]: readonly Value[],
  keywords: Keywords,
  byAttribute: boolean,
  keeps: boolean,
): Value {
  function* kept(): Iterable<Value> {
    if (!isTrue(value)) return;
    const holds = condition(args, keywords, byAttribute);
    for (const item of iterate(value)) if (holds(item) === keeps) yield item;
  }
  return new Lazy(kept());
}

function condition(
  args: readonly Value[],
  keywords: Keywords,
  byAttribute: boolean,
): (item: Value) => boolean {
  const [attribute] = args;
  if (byAttribute && attribute === undefined)
    throw valueError("Missing parameter for attribute name");
  const path = attributePath(byAttribute ? attribute! : null); // just seen to be there
  const [name, ...operands] = byAttribute ? args.slice(1) : args;
  if (name === undefined) return (item) => isTrue(path(item));
  const test = lookUp(TESTS, "test", name);
  return (item) => isTrue(test.call([path(item), ...operands], keywords));
}

function format([value = null, ...args]: readonly Value[], keywords: Keywords): Value {
  if (args.length > 0 && keywords.size > 0) {
    throw valueError("can't handle positional and keyword arguments at the same time");
  }
  if (value instanceof Markup) throw new UnsupportedConstruct("it formats text marked as safe");
  return formatPercent(toText(value), keywords.size > 0 ? new Dict(keywords) : new Tuple(args));
}
