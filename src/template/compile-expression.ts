/** @file From an expression to a function that gives its value. */
import { getAttribute, getItem } from "./attributes.ts";
import { Dict } from "./dict.ts";
import { FILTERS, TESTS, UNSUPPORTED_FILTERS } from "./filters.ts";
import type { Arguments, Expression, FilterNode, NameNode } from "./nodes.ts";
import { binary, compare, unary } from "./operators.ts";
import { toText } from "./print.ts";
import {
  PythonError,
  TemplateSyntaxError,
  UnsupportedConstruct,
  typeError,
} from "./python-error.ts";
import { type Activation, callValue } from "./rendering.ts";
import { type Symbols, namesIn } from "./scopes.ts";
import { takeSlice } from "./slices.ts";
import { UNSUPPORTED_STRING_METHODS } from "./string-methods.ts";
import {
  type Callable,
  type Keywords,
  MISSING,
  Tuple,
  Undefined,
  type Value,
  isTrue,
  iterate,
  textOf,
  typeName,
} from "./values.ts";

export type Evaluate = (run: Activation) => Value;

/** Where an expression stands. */
export interface Frame {
  readonly symbols: Symbols;
  /** Inside an `if`, where Jinja looks a filter up only when it gets there. */
  readonly isSoft: boolean;
  /** Whether `break` and `continue` have a loop here. */
  readonly inLoop: boolean;
}

/** Throws TemplateSyntaxError or UnsupportedConstruct for filters and tests that are not there. */
export function compileExpression(node: Expression, frame: Frame): Evaluate {
  switch (node.type) {
    case "Constant": {
      const { value } = node;
      return () => value;
    }
    case "Name":
      return compileName(node, frame);
    case "Tuple": {
      const items = compileAll(node.items, frame);
      return (run) => new Tuple(items.map((item) => item(run)));
    }
    case "List": {
      const items = compileAll(node.items, frame);
      return (run) => items.map((item) => item(run));
    }
    case "Dict": {
      const entries = node.entries.map((entry) => compileAll(entry, frame));
      return (run) => new Dict(entries.map(([key, value]) => [key!(run), value!(run)] as const));
    }
    case "Attribute": {
      const value = compileExpression(node.value, frame);
      return (run) => getAttribute(value(run), node.name);
    }
    case "Item":
      return compileItem(node, frame);
    case "Call":
      return compileCall(node.callee, node.given, frame);
    case "Filter":
      return compileFilter(node, frame);
    case "Test": {
      const test = find("test", node.name, node.line, frame);
      const value = compileExpression(node.value, frame);
      const given = compileArguments(node.given, frame);
      return (run) => applyTo(test(), value(run), given(run));
    }
    case "Not": {
      const value = compileExpression(node.value, frame);
      return (run) => !isTrue(value(run));
    }
    case "Unary": {
      const value = compileExpression(node.value, frame);
      return (run) => unary(node.op, value(run));
    }
    case "Binary": {
      const [left, right] = compilePair(node, frame);
      return (run) => binary(node.op, left(run), right(run));
    }
    case "Logic": {
      const [left, right] = compilePair(node, frame);
      const stopsAt = node.op === "or";
      return (run) => {
        const value = left(run);
        return isTrue(value) === stopsAt ? value : right(run);
      };
    }
    case "Compare":
      return compileComparison(node, frame);
    case "Concat": {
      const parts = compileAll(node.parts, frame);
      return (run) => parts.map((part) => toText(part(run))).join("");
    }
    case "Choice":
      return compileChoice(node, frame);
    case "Slice":
    case "NamespaceRef":
      throw new Error(`internal: ${node.type} is no value`);
  }
}

function compileAll(nodes: readonly Expression[], frame: Frame): Evaluate[] {
  return nodes.map((node) => compileExpression(node, frame));
}

function compilePair(
  { left, right }: { readonly left: Expression; readonly right: Expression },
  frame: Frame,
): readonly [Evaluate, Evaluate] {
  return [compileExpression(left, frame), compileExpression(right, frame)];
}

/** Names that Jinja itself gives a template and this interpreter does not. */
const UNSUPPORTED_NAMES = ["self", "lipsum"];

function compileName({ name, line }: NameNode, { symbols }: Frame): Evaluate {
  const variable = symbols.variable(name);
  if (UNSUPPORTED_NAMES.includes(name) && symbols.isFromOutside(name)) {
    throw new UnsupportedConstruct(`it uses ${name}`, line);
  }
  return (run) => {
    const value = run.get(variable);
    return value === MISSING ? new Undefined(`'${name}' is undefined`) : value;
  };
}

function compileItem(node: Extract<Expression, { type: "Item" }>, frame: Frame): Evaluate {
  const value = compileExpression(node.value, frame);
  const { key } = node;
  if (key.type !== "Slice") {
    const item = compileExpression(key, frame);
    return (run) => getItem(value(run), item(run));
  }
  const bound = (part: Expression | undefined): Evaluate =>
    part === undefined ? () => null : compileExpression(part, frame);
  const [start, stop, step] = [bound(key.start), bound(key.stop), bound(key.step)];
  const slice: Evaluate = (run) =>
    takeSlice(value(run), { start: start(run), stop: stop(run), step: step(run) });
  return isConstant(node) ? refusing(slice) : slice;
}

/** Whether Jinja works the expression out while it compiles. */
function isConstant(node: Expression): boolean {
  return [...namesIn(node)].length === 0;
}

/** Of a constant that has no slices Jinja makes an error in some places and undefined in others. */
function refusing(slice: Evaluate): Evaluate {
  return (run) => {
    try {
      return slice(run);
    } catch (error) {
      if (!(error instanceof PythonError && error.kind === "TypeError")) throw error;
      throw new UnsupportedConstruct("it takes a slice of a constant that has none");
    }
  };
}

function compileComparison(node: Extract<Expression, { type: "Compare" }>, frame: Frame): Evaluate {
  const first = compileExpression(node.first, frame);
  const rest = node.rest.map(({ op, value }) => ({ op, value: compileExpression(value, frame) }));
  return (run) => {
    let left = first(run);
    for (const { op, value } of rest) {
      const right = value(run);
      if (!compare(op, left, right)) return false;
      left = right;
    }
    return true;
  };
}

function compileChoice(node: Extract<Expression, { type: "Choice" }>, frame: Frame): Evaluate {
  const soft = { ...frame, isSoft: true };
  const test = compileExpression(node.test, soft);
  const value = compileExpression(node.value, soft);
  const reason = `the inline if-expression on line ${node.line} evaluated to false and no else section was defined.`;
  const otherwise: Evaluate =
    node.otherwise === undefined
      ? () => new Undefined(reason)
      : compileExpression(node.otherwise, soft);
  return (run) => (isTrue(test(run)) ? value(run) : otherwise(run));
}

interface Given {
  readonly args: readonly Value[];
  readonly keywords: Keywords;
}

export function compileCall(
  callee: Expression,
  given: Arguments,
  frame: Frame,
  extra: (run: Activation) => readonly (readonly [string, Value])[] = () => [],
): Evaluate {
  if (callee.type === "Attribute" && UNSUPPORTED_STRING_METHODS.has(callee.name)) {
    throw new UnsupportedConstruct(`it uses the str method ${callee.name}()`, callee.line);
  }
  const target = compileExpression(callee, frame);
  const compiled = compileArguments(given, frame);
  return (run) => {
    const value = target(run);
    const { args, keywords } = compiled(run);
    const more = extra(run);
    return callValue(value, args, more.length === 0 ? keywords : new Map([...keywords, ...more]));
  };
}

function compileArguments(node: Arguments, frame: Frame): (run: Activation) => Given {
  const args = compileAll(node.args, frame);
  const keywords = node.keywords.map(({ key, value }) => ({
    key,
    value: compileExpression(value, frame),
  }));
  const moreArgs =
    node.moreArgs === undefined ? undefined : compileExpression(node.moreArgs, frame);
  const moreKeywords =
    node.moreKeywords === undefined ? undefined : compileExpression(node.moreKeywords, frame);
  return (run) => {
    const values = args.map((arg) => arg(run));
    if (moreArgs !== undefined) values.push(...iterate(moreArgs(run)));
    const named = new Map(keywords.map(({ key, value }) => [key, value(run)] as const));
    if (moreKeywords !== undefined) addKeywords(named, moreKeywords(run));
    return { args: values, keywords: named };
  };
}

function addKeywords(named: Map<string, Value>, more: Value): void {
  if (!(more instanceof Dict)) {
    throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`);
  }
  for (const [key, value] of more.entries()) {
    const name = textOf(key);
    if (name === undefined) throw typeError("keywords must be strings");
    if (named.has(name)) throw typeError(`got multiple values for keyword argument '${name}'`);
    named.set(name, value);
  }
}

/** A filter; one that stands at a block is given what the block printed. */
export function compileFilter(
  node: FilterNode,
  frame: Frame,
): (run: Activation, printed?: Value) => Value {
  const filter = find("filter", node.name, node.line, frame);
  const given = compileArguments(node.given, frame);
  const inner = node.value;
  const value =
    inner === undefined
      ? (_: Activation, printed: Value = "") => printed
      : inner.type === "Filter"
        ? compileFilter(inner, frame)
        : compileExpression(inner, frame);
  return (run, printed) => applyTo(filter(), value(run, printed), given(run));
}

function applyTo(callable: Callable, value: Value, { args, keywords }: Given): Value {
  return callable.call([value, ...args], keywords);
}

/** A filter or test that is not there is an error at once, inside an `if` only when it is reached. */
function find(
  kind: "filter" | "test",
  name: string,
  line: number,
  { isSoft }: Frame,
): () => Callable {
  const found = (kind === "filter" ? FILTERS : TESTS).get(name);
  if (found !== undefined) return () => found;
  if (kind === "filter" && UNSUPPORTED_FILTERS.has(name)) {
    throw new UnsupportedConstruct(`it uses the filter "${name}"`, line);
  }
  if (!isSoft) throw new TemplateSyntaxError(`No ${kind} named '${name}'.`, line);
  return () => {
    throw new PythonError("RuntimeError", `No ${kind} named '${name}' found.`);
  };
}
