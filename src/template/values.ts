/**
 * @file The values of a template, with the types of Python: int is `bigint`, float is `number`, str is `string`, list is an array.
 * Everything else is one of the classes here, so that no JavaScript object with a prototype of its own is ever in a template's reach.
 */
import { PythonError, typeError } from "./python-error.ts";

export type Value = null | boolean | bigint | number | string | Value[] | Thing;

/** A variable that was not set yet; no value. */
export const MISSING = Symbol("missing");

export type Keywords = ReadonlyMap<string, Value>;

/** A value that is no number, text or list. Subclasses say what Python can do with them; the rest is a TypeError. */
export abstract class Thing {
  /** The name of its type in Python. */
  abstract readonly typeName: string;

  /** `x.name`, or undefined where the type has no such attribute. */
  attribute(_name: string): Value | undefined {
    return undefined;
  }

  /** `repr(x)`, or undefined where Python would print an address in memory. */
  repr(_reprOf: (value: Value) => string): string | undefined {
    return undefined;
  }

  call?(args: readonly Value[], keywords: Keywords): Value;
  items?(): Iterable<Value>;
  /** `len(x)`. */
  size?(): number;
  truth?(): boolean;
}

/** Text that `safe` or `escape` marked: what is added to it is escaped for HTML. */
export class Markup extends Thing {
  readonly typeName = "Markup";
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override repr(reprOf: (value: Value) => string): string {
    return `Markup(${reprOf(this.text)})`;
  }
}

export class Tuple extends Thing {
  readonly typeName = "tuple";
  readonly values: readonly Value[];
  /** Of a named tuple, the name of each member. */
  readonly names: readonly string[];

  constructor(values: readonly Value[], names: readonly string[] = []) {
    super();
    this.values = values;
    this.names = names;
  }

  override attribute(name: string): Value | undefined {
    return this.values[this.names.indexOf(name)];
  }

  override repr(reprOf: (value: Value) => string): string {
    const [only] = this.values;
    if (this.values.length === 1) return `(${reprOf(only!)},)`;
    return `(${this.values.map(reprOf).join(", ")})`;
  }

  override items(): Iterable<Value> {
    return this.values;
  }

  override size(): number {
    return this.values.length;
  }
}

/** What a name or a key gives that is not there. It prints as nothing, is false and empty, and all else that is done with it fails. */
export class Undefined extends Thing {
  readonly typeName = "Undefined";
  readonly reason: string;
  readonly isUnsafe: boolean;

  constructor(reason: string, { isUnsafe = false }: { readonly isUnsafe?: boolean } = {}) {
    super();
    this.reason = reason;
    this.isUnsafe = isUnsafe;
  }

  fail(): never {
    throw new PythonError(this.isUnsafe ? "SecurityError" : "UndefinedError", this.reason);
  }

  override attribute(name: string): Value | undefined {
    return name.startsWith("__") && name.endsWith("__") ? undefined : this.fail();
  }

  override call(): never {
    return this.fail();
  }

  override repr(): string {
    return "Undefined";
  }

  override items(): Iterable<Value> {
    return [];
  }

  override size(): number {
    return 0;
  }

  override truth(): boolean {
    return false;
  }
}

/** `range(start, stop, step)`; its size is checked where it is made. */
export class Range extends Thing {
  readonly typeName = "range";
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  readonly length: number;

  constructor(start: bigint, stop: bigint, step: bigint) {
    super();
    [this.start, this.stop, this.step] = [start, stop, step];
    const span = step > 0n ? stop - start : start - stop;
    const stride = step > 0n ? step : -step;
    this.length = span <= 0n ? 0 : Number((span + stride - 1n) / stride);
  }

  at(index: number): bigint {
    return this.start + this.step * BigInt(index);
  }

  override repr(): string {
    const step = this.step === 1n ? "" : `, ${this.step}`;
    return `range(${this.start}, ${this.stop}${step})`;
  }

  override *items(): Iterable<Value> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  override size(): number {
    return this.length;
  }
}

/** A generator or another iterator: it can be walked once. */
export class Lazy extends Thing {
  readonly typeName: string;
  readonly iterator: Iterator<Value>;

  constructor(iterable: Iterable<Value>, type = "generator") {
    super();
    this.iterator = iterable[Symbol.iterator]();
    this.typeName = type;
  }

  /** Not the iterator itself: a loop that ends early would close it for the next one. */
  override *items(): Iterable<Value> {
    for (;;) {
      const { done, value } = this.iterator.next();
      if (done === true) return;
      yield value;
    }
  }

  override truth(): boolean {
    return true;
  }
}

/** A function or a method. */
export class Callable extends Thing {
  readonly typeName: string;
  readonly name: string;
  readonly run: (args: readonly Value[], keywords: Keywords) => Value;

  constructor(
    name: string,
    run: (args: readonly Value[], keywords: Keywords) => Value,
    type = "builtin_function_or_method",
  ) {
    super();
    [this.name, this.run, this.typeName] = [name, run, type];
  }

  override call(args: readonly Value[], keywords: Keywords): Value {
    return this.run(args, keywords);
  }
}

/** `namespace(…)`: the one thing whose attributes a template may set. */
export class Namespace extends Thing {
  readonly typeName = "TemplateNamespace";
  readonly values = new Map<string, Value>();
  readonly asDict: () => Thing;

  /** `asDict` is what its repr shows. */
  constructor(asDict: (entries: ReadonlyMap<string, Value>) => Thing) {
    super();
    this.asDict = () => asDict(this.values);
  }

  set(name: string, value: Value): void {
    if (name.startsWith("_")) {
      throw new PythonError(
        "SecurityError",
        `Chat templates cannot store underscore-prefixed attributes on a namespace, but got '${name}'. Please rename the attribute.`,
      );
    }
    this.values.set(name, value);
  }

  override attribute(name: string): Value | undefined {
    return this.values.get(name);
  }

  override repr(reprOf: (value: Value) => string): string {
    return `<Namespace ${reprOf(this.asDict())}>`;
  }
}

/** The name of a value's type in Python. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (value instanceof Thing) return value.typeName;
  const names = { boolean: "bool", bigint: "int", number: "float", string: "str" } as const;
  return names[typeof value as keyof typeof names]; // the four types that are left of Value
}

export function isTrue(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Markup) return value.text !== "";
  if (value instanceof Thing) return value.truth?.() ?? (value.size?.() ?? 1) > 0;
  // NaN is true in Python.
  return value !== null && value !== "" && value !== 0n && value !== 0;
}

/** The text of a str (or Markup), undefined for any other value. */
export function textOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Markup ? value.text : undefined;
}

/** `iter(value)`. Text gives its characters, code point by code point. */
export function iterate(value: Value): Iterable<Value> {
  if (Array.isArray(value)) return value;
  const text = textOf(value);
  if (text !== undefined) return text;
  if (value instanceof Thing && value.items !== undefined) return value.items();
  throw typeError(`'${typeName(value)}' object is not iterable`);
}
