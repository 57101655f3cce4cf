import { typeError } from "./python-error.ts";
import { Markup, Range, Thing, Tuple, Undefined, type Value, typeName } from "./values.ts";

/** Python's dict: keys of any hashable type, in the order of insertion; 1, 1.0 and true are one key. */
export class Dict extends Thing {
  readonly typeName = "dict";
  private readonly entryOf = new Map<string, [key: Value, value: Value]>();
  /** Where somebody watches: called with each key whose value the template gets. */
  onRead: ((key: Value) => void) | undefined;

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super();
    for (const [key, value] of entries) this.set(key, value);
  }

  set(key: Value, value: Value): void {
    const hash = hashKey(key);
    const entry = this.entryOf.get(hash);
    if (entry === undefined) this.entryOf.set(hash, [key, value]);
    else entry[1] = value;
  }

  get(key: Value): Value | undefined {
    const entry = this.entryOf.get(hashKey(key));
    if (entry !== undefined) this.onRead?.(key);
    return entry?.[1];
  }

  has(key: Value): boolean {
    return this.entryOf.has(hashKey(key));
  }

  /** All entries, all of which count as read. */
  *entries(): Iterable<readonly [Value, Value]> {
    for (const [key, value] of this.entryOf.values()) {
      this.onRead?.(key);
      yield [key, value];
    }
  }

  *keys(): Iterable<Value> {
    for (const [key] of this.entryOf.values()) yield key;
  }

  override repr(reprOf: (value: Value) => string): string {
    const parts: string[] = [];
    for (const [key, value] of this.entries()) parts.push(`${reprOf(key)}: ${reprOf(value)}`);
    return `{${parts.join(", ")}}`;
  }

  override items(): Iterable<Value> {
    return this.keys();
  }

  override size(): number {
    return this.entryOf.size;
  }
}

/** `d.keys()`, `d.values()` and `d.items()`: they follow the dict. */
export class DictView extends Thing {
  readonly typeName: string;
  readonly dict: Dict;
  readonly kind: "keys" | "values" | "items";

  constructor(dict: Dict, kind: "keys" | "values" | "items") {
    super();
    [this.dict, this.kind, this.typeName] = [dict, kind, `dict_${kind}`];
  }

  override repr(reprOf: (value: Value) => string): string {
    return `${this.typeName}([${[...this.items()].map(reprOf).join(", ")}])`;
  }

  override *items(): Iterable<Value> {
    if (this.kind === "keys") yield* this.dict.keys();
    else {
      for (const [key, value] of this.dict.entries()) {
        yield this.kind === "values" ? value : new Tuple([key, value]);
      }
    }
  }

  override size(): number {
    return this.dict.size();
  }
}

const identities = new WeakMap<Thing, number>();
let lastIdentity = 0;

/** A text that is the same for equal keys only. Throws a TypeError for values that Python cannot hash. */
export function hashKey(key: Value): string {
  if (typeof key === "string") return `s${key}`;
  if (key === null) return "none";
  if (typeof key === "boolean") return key ? "i1" : "i0";
  if (typeof key === "bigint") return `i${key}`;
  if (typeof key === "number") return Number.isInteger(key) ? `i${BigInt(key)}` : `f${key}`;
  if (key instanceof Markup) return `s${key.text}`;
  if (key instanceof Tuple) {
    const parts = key.values.map(hashKey);
    return `t${parts.map((part) => `${part.length}:${part}`).join("")}`;
  }
  if (key instanceof Undefined) return "undefined";
  if (Array.isArray(key) || key instanceof Dict || key instanceof DictView) {
    throw typeError(`unhashable type: '${typeName(key)}'`);
  }
  let identity = identities.get(key);
  if (identity === undefined) identities.set(key, (identity = ++lastIdentity));
  return `o${identity}`;
}

/** `a == b`. */
export function isEqual(a: Value, b: Value): boolean {
  if (a instanceof Undefined || b instanceof Undefined) {
    return a instanceof Undefined && b instanceof Undefined;
  }
  const [left, right] = [comparable(a), comparable(b)];
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) && sameItems(left, right);
  }
  if (left instanceof Tuple && right instanceof Tuple) return sameItems(left.values, right.values);
  if (left instanceof Dict && right instanceof Dict) return sameEntries(left, right);
  if (left instanceof Range && right instanceof Range) {
    return sameItems([...left.items()], [...right.items()]);
  }
  if (left instanceof DictView && right instanceof DictView && left.kind === right.kind) {
    return left === right || (left.kind !== "values" && sameSets(left, right));
  }
  // bigint and number are compared by their mathematical value, as in Python.
  // oxlint-disable-next-line eqeqeq
  return isNumber(left) && isNumber(right) ? left == right : left === right;
}

/** The same object or equal, as members of lists are compared. */
export function isSame(a: Value, b: Value): boolean {
  return a === b || isEqual(a, b);
}

function comparable(value: Value): Value {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return value instanceof Markup ? value.text : value;
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function sameItems(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => isSame(item, b[i]!));
}

function sameEntries(a: Dict, b: Dict): boolean {
  if (a.size() !== b.size()) return false;
  for (const [key, value] of a.entries()) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}

function sameSets(a: DictView, b: DictView): boolean {
  const others = [...b.items()];
  return a.size() === b.size() && [...a.items()].every((x) => others.some((y) => isSame(x, y)));
}
