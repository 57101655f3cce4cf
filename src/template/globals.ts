/** @file The functions that transformers gives every chat template. */
import { native } from "./arguments.ts";
import { Dict } from "./dict.ts";
import { numeric } from "./numbers.ts";
import { toText } from "./print.ts";
import { PythonError, RaisedByTemplate, typeError, valueError } from "./python-error.ts";
import {
  Callable,
  type Keywords,
  Namespace,
  Range,
  Thing,
  type Value,
  iterate,
  typeName,
} from "./values.ts";

/** Jinja's sandbox takes no longer range. */
const MAX_RANGE = 100_000;

/** What stays the same in all renderings. `now` formats the date that the template is to see, as strftime. */
export function globalsOf(now: (format: string) => string): ReadonlyMap<string, Value> {
  return new Map<string, Value>([
    ["range", new Callable("range", range, "function")],
    ["dict", new DictFunction()],
    ["namespace", new Callable("namespace", namespace, "type")],
    ["cycler", new Callable("cycler", (items) => new Cycler(items), "type")],
    ["joiner", native("joiner", "/ sep?", (sep = ", ") => joiner(sep))],
    ["raise_exception", native("raise_exception", "/ message", (message) => raise(message!))],
    ["strftime_now", native("strftime_now", "/ format", (format) => now(toText(format!)))],
  ]);
}

function range(args: readonly Value[], keywords: Keywords): Value {
  const bounds = args.map((arg) => {
    const number = numeric(arg);
    if (typeof number === "bigint") return number;
    throw typeError(`'${typeName(arg)}' object cannot be interpreted as an integer`);
  });
  if (bounds.length < 1 || bounds.length > 3 || keywords.size > 0)
    throw typeError("range expected 1 to 3 arguments");
  const [a, b, step = 1n] = bounds;
  if (step === 0n) throw valueError("range() arg 3 must not be zero");
  const made = b === undefined ? new Range(0n, a!, 1n) : new Range(a!, b, step);
  if (made.length <= MAX_RANGE) return made;
  throw new PythonError(
    "OverflowError",
    `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`,
  );
}

/** The entries of `dict(mapping or pairs, name=value)`. */
function dictEntries(args: readonly Value[], keywords: Keywords): (readonly [Value, Value])[] {
  const [first, ...more] = args;
  if (more.length > 0) throw typeError("dict expected at most 1 argument");
  if (first instanceof Dict) return [...first.entries(), ...keywords];
  const pairs = first === undefined ? [] : [...iterate(first)].map((pair) => [...iterate(pair)]);
  for (const pair of pairs) {
    if (pair.length !== 2)
      throw valueError("dictionary update sequence element has the wrong length; 2 is required");
  }
  return [...pairs.map(([key, value]) => [key!, value!] as const), ...keywords];
}

class DictFunction extends Thing {
  readonly typeName = "TemplateDict";

  override call(args: readonly Value[], keywords: Keywords): Value {
    return new Dict(dictEntries(args, keywords));
  }

  override attribute(name: string): Value | undefined {
    if (name !== "fromkeys") return undefined;
    return native(name, "iterable value?", (keys, value = null) => {
      return new Dict([...iterate(keys!)].map((key) => [key, value] as const));
    });
  }
}

function namespace(args: readonly Value[], keywords: Keywords): Value {
  const made = new Namespace((values) => new Dict(values));
  for (const [key, value] of dictEntries(args, keywords)) made.set(toText(key), value);
  return made;
}

function raise(message: Value): never {
  throw new RaisedByTemplate(message === null ? "None" : toText(message));
}

function joiner(separator: Value): Value {
  let used = false;
  return new Callable("joiner", () => {
    const text = used ? separator : "";
    used = true;
    return text;
  });
}

class Cycler extends Thing {
  readonly typeName = "Cycler";
  private readonly values: readonly Value[];
  private position = 0;

  constructor(values: readonly Value[]) {
    super();
    if (values.length === 0)
      throw new PythonError("RuntimeError", "at least one item has to be provided");
    this.values = values;
  }

  override attribute(name: string): Value | undefined {
    if (name === "current") return this.values[this.position]!;
    if (name === "next") return native(name, "", () => this.next());
    if (name !== "reset") return undefined;
    return native(name, "", () => {
      this.position = 0;
      return null;
    });
  }

  private next(): Value {
    const value = this.values[this.position]!;
    this.position = (this.position + 1) % this.values.length;
    return value;
  }
}
