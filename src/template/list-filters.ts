/** @file Filters of Jinja over lists and other things that can be walked. */
import { attributePath } from "./attributes.ts";
import { Dict, DictView, hashKey } from "./dict.ts";
import { type Table, tableOf } from "./filter.ts";
import { sizeOf } from "./length.ts";
import { toIndex } from "./numbers.ts";
import { binary, compareValues } from "./operators.ts";
import { toText } from "./print.ts";
import { typeError, valueError } from "./python-error.ts";
import { characters } from "./text.ts";
import {
  Lazy,
  Range,
  Tuple,
  Undefined,
  type Value,
  isTrue,
  iterate,
  textOf,
  typeName,
} from "./values.ts";

export const LIST_FILTERS: Table = tableOf({
  length: ["obj", length],
  count: ["obj", length],
  list: ["/ value", (value: Value) => [...iterate(value)]],
  join: ["/ value d? attribute?", join],
  first: ["/ seq", first],
  last: ["/ seq", (value: Value) => first(reversed(value), "No last item, sequence was empty.")],
  reverse: [
    "/ value",
    (value: Value) =>
      typeof value === "string" ? characters(value).toReversed().join("") : reversed(value),
  ],
  sort: ["/ value reverse? case_sensitive? attribute?", sort],
  unique: ["/ value case_sensitive? attribute?", unique],
  min: ["/ value case_sensitive? attribute?", (...given: Given) => extreme(-1, ...given)],
  max: ["/ value case_sensitive? attribute?", (...given: Given) => extreme(1, ...given)],
  sum: ["/ iterable attribute? start?", sum],
  items: ["/ value", items],
  dictsort: ["/ value case_sensitive? by? reverse?", dictsort],
  default: ["/ value default_value? boolean?", orDefault],
  d: ["/ value default_value? boolean?", orDefault],
  batch: ["/ value linecount fill_with?", batch],
  slice: ["/ value slices fill_with?", slice],
  groupby: ["/ value attribute default? case_sensitive?", groupBy],
});

type Given = [value: Value, caseSensitive?: Value, attribute?: Value];

function length(value: Value): Value {
  const size = sizeOf(value);
  if (size === undefined) throw typeError(`object of type '${typeName(value)}' has no len()`);
  return BigInt(size);
}

function join(value: Value, separator: Value = "", attribute: Value = null): Value {
  const path = attributePath(attribute);
  return [...iterate(value)].map((item) => toText(path(item))).join(toText(separator));
}

function first(value: Value, reason: Value = "No first item, sequence was empty."): Value {
  const iterator = iterate(value)[Symbol.iterator]();
  const { done, value: item } = iterator.next();
  return done === true ? new Undefined(toText(reason)) : item;
}

/** `reversed(value)`, or the reverse of a copy where Python cannot walk it backwards. */
function reversed(value: Value): Value {
  const text = textOf(value);
  const all = text === undefined ? [...iterate(value)] : characters(text);
  const type = Array.isArray(value) ? "list_reverseiterator" : "reversed";
  const isSequence = text !== undefined || Array.isArray(value) || value instanceof Tuple;
  const isReversible =
    isSequence ||
    value instanceof Undefined ||
    value instanceof Range ||
    value instanceof Dict ||
    value instanceof DictView;
  return isReversible ? new Lazy(all.toReversed(), type) : all.toReversed();
}

function lowered(value: Value, caseSensitive: Value): Value {
  return typeof value === "string" && !isTrue(caseSensitive) ? value.toLowerCase() : value;
}

/** The values of a sort key: those of several attributes, separated by commas, one after the other. */
function sortKeys(attribute: Value, caseSensitive: Value): (item: Value) => Value {
  const parts: Value[] = typeof attribute === "string" ? attribute.split(",") : [attribute];
  const paths = parts.map(attributePath);
  return (item) => paths.map((path) => lowered(path(item), caseSensitive));
}

function sorted<T>(values: readonly T[], keyOf: (value: T) => Value, reverse: Value): T[] {
  const keyed = values.map((value) => ({ value, key: keyOf(value) }));
  const sign = isTrue(reverse) ? -1 : 1;
  // Stable both ways, as Python's: equal keys keep their order.
  return keyed
    .toSorted((a, b) => sign * compareValues(a.key, b.key, "<"))
    .map(({ value }) => value);
}

function sort(
  value: Value,
  reverse: Value = false,
  caseSensitive: Value = false,
  attribute: Value = null,
): Value {
  return sorted([...iterate(value)], sortKeys(attribute, caseSensitive), reverse);
}

function unique(value: Value, caseSensitive: Value = false, attribute: Value = null): Value {
  const path = attributePath(attribute);
  function* kept(): Iterable<Value> {
    const seen = new Set<string>();
    for (const item of iterate(value)) {
      const key = hashKey(lowered(path(item), caseSensitive));
      if (!seen.has(key)) yield item;
      seen.add(key);
    }
  }
  return new Lazy(kept());
}

function extreme(sign: 1 | -1, ...[value, caseSensitive = false, attribute = null]: Given): Value {
  const path = attributePath(attribute);
  const keyOf = (item: Value): Value => lowered(path(item), caseSensitive);
  let best: Value | undefined;
  for (const item of iterate(value)) {
    const isBetter = best === undefined || sign * compareValues(keyOf(item), keyOf(best), "<") > 0;
    if (isBetter) best = item;
  }
  return best === undefined ? new Undefined("No aggregated item, sequence was empty.") : best;
}

function sum(value: Value, attribute: Value = null, start: Value = 0n): Value {
  if (textOf(start) !== undefined)
    throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
  const path = attributePath(attribute);
  let total = start;
  for (const item of iterate(value)) total = binary("+", total, path(item));
  return total;
}

function items(value: Value): Value {
  function* pairs(): Iterable<Value> {
    if (value instanceof Undefined) return;
    if (!(value instanceof Dict)) throw typeError("Can only get item pairs from a mapping.");
    for (const entry of value.entries()) yield new Tuple(entry);
  }
  return new Lazy(pairs());
}

function dictsort(
  value: Value,
  caseSensitive: Value = false,
  by: Value = "key",
  reverse: Value = false,
): Value {
  const position = ["key", "value"].indexOf(toText(by));
  if (position < 0) throw valueError('You can only sort by either "key" or "value"');
  if (value instanceof Undefined) return value.fail();
  if (!(value instanceof Dict))
    throw typeError(`'${typeName(value)}' object has no attribute 'items'`);
  const pairs = [...value.entries()].map((entry) => new Tuple(entry));
  return sorted(pairs, (pair) => lowered(pair.values[position]!, caseSensitive), reverse);
}

function orDefault(value: Value, other: Value = "", boolean: Value = false): Value {
  return value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? other : value;
}

function batch(value: Value, count: Value, fill: Value = null): Value {
  const size = toIndex(count);
  function* rows(): Iterable<Value> {
    let row: Value[] = [];
    for (const item of iterate(value)) {
      if (row.length === size) {
        yield row;
        row = [];
      }
      row.push(item);
    }
    if (row.length === 0) return;
    if (fill !== null) while (row.length < size) row.push(fill);
    yield row;
  }
  return new Lazy(rows());
}

function slice(value: Value, count: Value, fill: Value = null): Value {
  const slices = toIndex(count);
  function* rows(): Iterable<Value> {
    const all = [...iterate(value)];
    const [each, more] = [Math.floor(all.length / slices), all.length % slices];
    let start = 0;
    for (let i = 0; i < slices; i++) {
      const end = start + each + (i < more ? 1 : 0);
      yield [...all.slice(start, end), ...(fill !== null && i >= more ? [fill] : [])];
      start = end;
    }
  }
  return new Lazy(rows());
}

function groupBy(
  value: Value,
  attribute: Value,
  other: Value = null,
  caseSensitive: Value = false,
): Value {
  const path = attributePath(attribute);
  const keyOf = (item: Value): Value => lowered(path(item, other), caseSensitive);
  const groups: Value[][] = [];
  for (const item of sorted([...iterate(value)], keyOf, false)) {
    const group = groups.at(-1);
    const isSame = group !== undefined && compareValues(keyOf(group[0]!), keyOf(item), "<") === 0;
    if (isSame) group.push(item);
    else groups.push([item]);
  }
  return groups.map((group) => {
    const key = isTrue(caseSensitive) ? keyOf(group[0]!) : path(group[0]!, other);
    return new Tuple([key, group], ["grouper", "list"]);
  });
}
