/** @file `value.name` and `value[key]` as Jinja's sandbox resolves them: no inner attribute, no method that changes a list or dict. */
import { native } from "./arguments.ts";
import { formatBraces } from "./brace-format.ts";
import { Dict, DictView, isSame } from "./dict.ts";
import { numeric, toIndex } from "./numbers.ts";
import { toRepr } from "./print.ts";
import { UnsupportedConstruct, typeError, valueError } from "./python-error.ts";
import { stringMethod } from "./string-methods.ts";
import { codePoints } from "./text.ts";
import {
  Callable,
  Markup,
  Namespace,
  Range,
  Thing,
  Tuple,
  Undefined,
  type Value,
  textOf,
  typeName,
} from "./values.ts";

/** An attribute that is there in Python and that the sandbox hides. */
const UNSAFE = Symbol("unsafe");
type Found = Value | undefined | typeof UNSAFE;

const INNER_ATTRIBUTES = new Set(
  (
    "class delattr dir doc eq format ge getattribute getstate gt hash init init_subclass le lt ne new reduce reduce_ex repr " +
    "setattr sizeof str subclasshook"
  )
    .split(" ")
    .map((name) => `__${name}__`),
);
const MORE_INNER_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  str: ["__add__", "__contains__", "__getitem__", "__iter__", "__len__", "__mod__", "__mul__"],
  list: [
    "__add__",
    "__contains__",
    "__getitem__",
    "__iter__",
    "__len__",
    "__mul__",
    "__reversed__",
  ],
  dict: ["__contains__", "__getitem__", "__iter__", "__len__", "__or__", "__reversed__"],
  int: ["__add__", "__int__", "__float__", "__index__", "__mul__", "__sub__"],
};
const CHANGING: Readonly<Record<string, readonly string[]>> = {
  list: ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"],
  dict: ["clear", "pop", "popitem", "setdefault", "update"],
};
/** Members that Python has and this interpreter has not. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  int: [
    "as_integer_ratio",
    "bit_count",
    "conjugate",
    "denominator",
    "from_bytes",
    "imag",
    "numerator",
    "real",
    "to_bytes",
  ],
  float: ["as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "real"],
  range: ["count", "index", "start", "step", "stop"],
  dict: ["fromkeys"],
};

/** `value.name`: an attribute, else a member under that key, else undefined. */
export function getAttribute(value: Value, name: string): Value {
  const found = attributeOf(value, name);
  if (found === UNSAFE) return unsafe(value, name);
  if (found !== undefined) return found;
  if (value instanceof Undefined) return value.fail();
  const member = memberOf(value, name);
  return member === undefined ? absent(value, name) : member;
}

/** `value[key]`: a member under that key, else an attribute, else undefined. */
export function getItem(value: Value, key: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const member = memberOf(value, key);
  if (member !== undefined) return member;
  const name = textOf(key);
  const found = name === undefined ? undefined : attributeOf(value, name);
  if (found === UNSAFE) return unsafe(value, name ?? "");
  return found === undefined ? absent(value, key) : found;
}

/** `value | attr(name)`: only an attribute. */
export function onlyAttribute(value: Value, name: string): Value {
  const found = attributeOf(value, name);
  if (found === UNSAFE) return unsafe(value, name);
  return found === undefined ? absent(value, name) : found;
}

function attributeOf(value: Value, name: string): Found {
  const type = typeName(value);
  if (INNER_ATTRIBUTES.has(name) || MORE_INNER_ATTRIBUTES[type]?.includes(name) === true)
    return UNSAFE;
  if (CHANGING[type]?.includes(name) === true) return UNSAFE;
  if (UNSUPPORTED[type]?.includes(name) === true) {
    throw new UnsupportedConstruct(`it uses ${name} of a Python ${type}`);
  }
  if (typeof value === "string" || value instanceof Markup) {
    const formats = name === "format" || name === "format_map";
    return formats ? formatMethod(value, name) : stringMethod(value, name);
  }
  if (value instanceof Dict) return dictMethod(value, name);
  if (Array.isArray(value)) return listMethod(value, name);
  if (value instanceof Tuple) {
    const named = value.attribute(name);
    return named === undefined ? listMethod(value.values, name) : named;
  }
  if (typeof value === "bigint" && name === "bit_length") {
    return native(name, "", () =>
      BigInt(value === 0n ? 0 : (value < 0n ? -value : value).toString(2).length),
    );
  }
  if (typeof value === "number" && name === "is_integer")
    return native(name, "", () => Number.isInteger(value));
  if (!(value instanceof Thing)) return undefined;
  if (value instanceof Callable && name.startsWith("__")) return UNSAFE;
  const found = value.attribute(name);
  return found !== undefined && name.startsWith("_") && !(value instanceof Namespace)
    ? UNSAFE
    : found;
}

function formatMethod(text: string | Markup, name: string): Value {
  if (text instanceof Markup)
    throw new UnsupportedConstruct(`it uses ${name}() of text marked as safe`);
  const lookups = { attribute: getAttribute, item: getItem };
  return new Callable(name, (args, keywords) => {
    if (name === "format") return formatBraces(text, args, keywords, lookups);
    const [mapping] = args;
    if (mapping === undefined || args.length > 1)
      throw typeError("format_map() takes exactly one argument");
    return formatBraces(text, [], mapping, lookups);
  });
}

function memberOf(value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) {
    const isHashable = !(Array.isArray(key) || key instanceof Dict || key instanceof DictView);
    return isHashable ? value.get(key) : undefined;
  }
  const index = numeric(key);
  if (typeof index !== "bigint") return undefined;
  if (typeof value === "string") return pick(codePoints(value), index);
  if (value instanceof Markup) {
    const character = pick(codePoints(value.text), index);
    return character === undefined ? undefined : new Markup(character);
  }
  if (Array.isArray(value)) return pick(value, index);
  if (value instanceof Tuple) return pick(value.values, index);
  if (!(value instanceof Range)) return undefined;
  const position = index < 0n ? index + BigInt(value.length) : index;
  return position >= 0n && position < BigInt(value.length) ? value.at(Number(position)) : undefined;
}

function pick<T>(
  items: { readonly length: number; readonly [index: number]: T },
  index: bigint,
): T | undefined {
  const position = Number(index < 0n ? index + BigInt(items.length) : index);
  return position < 0 ? undefined : items[position];
}

function dictMethod(dict: Dict, name: string): Value | undefined {
  if (name === "keys" || name === "values" || name === "items") {
    return native(name, "", () => new DictView(dict, name));
  }
  if (name === "get") {
    return native(name, "key default?", (key, other = null) => {
      const value = dict.get(key!);
      return value === undefined ? other : value;
    });
  }
  return name === "copy" ? native(name, "", () => new Dict(dict.entries())) : undefined;
}

function listMethod(items: readonly Value[], name: string): Value | undefined {
  if (name === "count") {
    return native(name, "value", (value) =>
      BigInt(items.filter((item) => isSame(item, value!)).length),
    );
  }
  if (name === "copy" && Array.isArray(items)) return native(name, "", () => [...items]);
  if (name !== "index") return undefined;
  return native(name, "value start? stop?", (value, start = 0n, stop = BigInt(items.length)) => {
    const [from, to] = [start, stop].map((bound) => {
      const index = toIndex(bound);
      return index < 0 ? Math.max(0, index + items.length) : index;
    });
    const at = items.findIndex((item, i) => i >= from! && i < to! && isSame(item, value!));
    if (at < 0) throw valueError(`${toRepr(value!)} is not in list`);
    return BigInt(at);
  });
}

function unsafe(value: Value, name: string): Undefined {
  return new Undefined(`access to attribute '${name}' of '${typeName(value)}' object is unsafe.`, {
    isUnsafe: true,
  });
}

function absent(value: Value, key: Value): Undefined {
  const type = value === null ? "None" : `${typeName(value)} object`;
  if (typeof key === "string") return new Undefined(`'${type}' has no attribute '${key}'`);
  return new Undefined(`${type} has no element ${keyText(key)}`);
}

function keyText(key: Value): string {
  return key instanceof Callable ? key.name : toRepr(key);
}

/** Walks an attribute path of filters, "a.b.0": whole numbers are positions. */
export function attributePath(path: Value): (value: Value, fallback?: Value) => Value {
  const parts: Value[] =
    typeof path === "string"
      ? path.split(".").map((part) => (/^\p{Nd}+$/u.test(part) ? BigInt(part) : part))
      : path === null
        ? []
        : [path];
  return (value, fallback = null) => {
    let result = value;
    for (const part of parts) {
      result = getItem(result, part);
      if (fallback !== null && result instanceof Undefined) result = fallback;
    }
    return result;
  };
}
