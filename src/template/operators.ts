import { Dict, DictView, isEqual, isSame } from "./dict.ts";
import { escapeHtml } from "./markup.ts";
import { type ArithmeticOp, calculate, numeric } from "./numbers.ts";
import { formatPercent } from "./percent-format.ts";
import { UnsupportedConstruct, typeError } from "./python-error.ts";
import { MAX_TEXT_LENGTH, compareTexts } from "./text.ts";
import {
  Markup,
  Range,
  Tuple,
  Undefined,
  type Value,
  iterate,
  textOf,
  typeName,
} from "./values.ts";

/** `a op b` of numbers, texts and lists. */
export function binary(op: ArithmeticOp, a: Value, b: Value): Value {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) return calculate(op, x, y);
  if (op === "%" && textOf(a) !== undefined) return percent(a, b);
  if (a instanceof Undefined) return a.fail();
  if (b instanceof Undefined) return b.fail();
  if (op === "+") {
    const sum = concatenated(a, b);
    if (sum !== undefined) return sum;
  }
  if (op === "*") {
    const product = repeated(a, b) ?? repeated(b, a);
    if (product !== undefined) return product;
  }
  if (op === "-" && a instanceof DictView) {
    throw new UnsupportedConstruct("it takes a set from the keys or items of a dict");
  }
  throw typeError(`unsupported operand type(s) for ${op}: '${typeName(a)}' and '${typeName(b)}'`);
}

function percent(a: Value, b: Value): Value {
  const text = formatPercent(textOf(a)!, b, a instanceof Markup ? escapeHtml : undefined);
  return a instanceof Markup ? new Markup(text) : text;
}

function concatenated(a: Value, b: Value): Value | undefined {
  const [x, y] = [textOf(a), textOf(b)];
  if (x !== undefined && y !== undefined) {
    if (typeof a === "string" && typeof b === "string")
      return requireLength(x.length + y.length) && a + b;
    return new Markup(escapeHtml(a) + escapeHtml(b));
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    requireLength((a.length + b.length) * 8);
    return a.concat(b);
  }
  if (a instanceof Tuple && b instanceof Tuple) return new Tuple([...a.values, ...b.values]);
  return undefined;
}

function repeated(what: Value, times: Value): Value | undefined {
  const count = numeric(times);
  if (typeof count !== "bigint") return undefined;
  const n = Math.max(0, Number(count));
  const text = textOf(what);
  if (text !== undefined) {
    requireLength(text.length * n);
    return what instanceof Markup ? new Markup(text.repeat(n)) : text.repeat(n);
  }
  const items = what instanceof Tuple ? what.values : what;
  if (!Array.isArray(items)) return undefined;
  requireLength(items.length * n * 8);
  const all = Array.from({ length: n }, () => items as readonly Value[]).flat();
  return what instanceof Tuple ? new Tuple(all) : all;
}

function requireLength(length: number): true {
  if (length <= MAX_TEXT_LENGTH) return true;
  throw new UnsupportedConstruct(
    `it makes a text or list of more than ${MAX_TEXT_LENGTH} characters`,
  );
}

/** `-x` and `+x`. */
export function unary(op: "-" | "+", value: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const number = numeric(value);
  if (number === undefined)
    throw typeError(`bad operand type for unary ${op}: '${typeName(value)}'`);
  return op === "-" ? -number : number;
}

export type ComparisonOp = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

export function compare(op: ComparisonOp, a: Value, b: Value): boolean {
  if (op === "==") return isEqual(a, b);
  if (op === "!=") return !isEqual(a, b);
  if (op === "in") return contains(b, a);
  if (op === "not in") return !contains(b, a);
  const order = compareValues(a, b, op);
  if (op === "<") return order < 0;
  if (op === "<=") return order <= 0;
  return op === ">" ? order > 0 : order >= 0;
}

/** Negative, 0 or positive; NaN where both are numbers that have no order. Throws a TypeError for types without one. */
export function compareValues(a: Value, b: Value, op: string): number {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) {
    if (x < y) return -1;
    // oxlint-disable-next-line eqeqeq
    return x > y ? 1 : x == y ? 0 : NaN;
  }
  const [s, t] = [textOf(a), textOf(b)];
  if (s !== undefined && t !== undefined) return compareTexts(s, t);
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b, op);
  if (a instanceof Tuple && b instanceof Tuple) return compareLists(a.values, b.values, op);
  if (a instanceof Undefined) return a.fail();
  if (b instanceof Undefined) return b.fail();
  throw typeError(
    `'${op}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

function compareLists(a: readonly Value[], b: readonly Value[], op: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (!isSame(a[i]!, b[i]!)) return compareValues(a[i]!, b[i]!, op);
  }
  return a.length - b.length;
}

/** `item in container`. */
export function contains(container: Value, item: Value): boolean {
  const text = textOf(container);
  if (text !== undefined) {
    const part = textOf(item);
    if (part !== undefined) return text.includes(part);
    throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Dict) return container.has(item);
  if (container instanceof DictView && container.kind === "keys") return container.dict.has(item);
  if (container instanceof Range && typeof numeric(item) === "bigint") {
    const offset = (numeric(item) as bigint) - container.start; // just seen to be one
    const index = offset / container.step;
    return offset % container.step === 0n && index >= 0n && index < BigInt(container.length);
  }
  if (!Array.isArray(container) && (container === null || typeof container !== "object")) {
    throw typeError(`argument of type '${typeName(container)}' is not iterable`);
  }
  for (const other of iterate(container)) if (isSame(other, item)) return true;
  return false;
}
