/** @file Jinja's expressions, by precedence from the weakest to the strongest. */
import type { Arguments, Expression, FilterNode, NameNode, Target } from "./nodes.ts";
import type { ArithmeticOp } from "./numbers.ts";
import type { ComparisonOp } from "./operators.ts";
import type { TokenStream } from "./token-stream.ts";
import { describe } from "./token-stream.ts";

const COMPARISONS = ["==", "!=", "<", "<=", ">", ">="];
const CONSTANTS = new Map<string, null | boolean>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);

export interface TupleOptions {
  /** Names and literals only, for targets. */
  readonly simple?: boolean;
  readonly withChoice?: boolean;
  /** A word that ends the tuple. */
  readonly endWord?: string;
  readonly inParentheses?: boolean;
  readonly withNamespace?: boolean;
}

/** One expression, or several with commas between them as a tuple. */
export function parseTuple(stream: TokenStream, options: TupleOptions = {}): Expression {
  const { simple = false, withChoice = true, endWord, inParentheses = false } = options;
  const { line } = stream.current;
  const items: Expression[] = [];
  let isTuple = false;
  for (;;) {
    if (items.length > 0) stream.expect("operator", ",");
    if (isTupleEnd(stream, endWord)) break;
    items.push(
      simple ? parsePrimary(stream, options.withNamespace) : parseExpression(stream, withChoice),
    );
    if (!stream.isOperator(",")) break;
    isTuple = true;
  }
  if (!isTuple) {
    const [only] = items;
    if (only !== undefined) return only;
    if (!inParentheses)
      throw stream.error(`Expected an expression, got '${describe(stream.current)}'`);
  }
  return { type: "Tuple", items, line };
}

function isTupleEnd(stream: TokenStream, endWord: string | undefined): boolean {
  const isEnd = stream.is("variable_end") || stream.is("block_end") || stream.isOperator(")");
  return isEnd || (endWord !== undefined && stream.isWord(endWord));
}

/** What is assigned to: names, tuples of them and, for `set`, attributes of a namespace. */
export function parseTarget(stream: TokenStream, options: TupleOptions = {}): Target {
  const { line } = stream.current;
  return asTarget(stream, parseTuple(stream, { ...options, simple: true }), line);
}

function asTarget(stream: TokenStream, node: Expression, line: number): Target {
  if (node.type === "NamespaceRef") return node;
  if (node.type === "Name") return { ...node, use: "store" };
  if (node.type !== "Tuple")
    throw stream.error(`can't assign to '${node.type.toLowerCase()}'`, line);
  return { ...node, items: node.items.map((item) => asTarget(stream, item, line)) };
}

export function parseTargetName(stream: TokenStream, use: "store" | "param"): NameNode {
  const { value: name, line } = stream.expect("name");
  if (CONSTANTS.has(name)) throw stream.error("can't assign to 'const'", line);
  return { type: "Name", name, use, line };
}

export function parseExpression(stream: TokenStream, withChoice = true): Expression {
  if (!withChoice) return parseOr(stream);
  const { line } = stream.current;
  let node = parseOr(stream);
  while (stream.skip("name", "if")) {
    const test = parseOr(stream);
    const otherwise = stream.skip("name", "else") ? parseExpression(stream) : undefined;
    node = { type: "Choice", test, value: node, otherwise, line };
  }
  return node;
}

function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream);
  while (stream.skip("name", "or")) {
    left = { type: "Logic", op: "or", left, right: parseAnd(stream), line: left.line };
  }
  return left;
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream);
  while (stream.skip("name", "and")) {
    left = { type: "Logic", op: "and", left, right: parseNot(stream), line: left.line };
  }
  return left;
}

function parseNot(stream: TokenStream): Expression {
  if (!stream.isWord("not")) return parseCompare(stream);
  const { line } = stream.next();
  return { type: "Not", value: parseNot(stream), line };
}

function parseCompare(stream: TokenStream): Expression {
  const first = parseSum(stream);
  const rest: { op: ComparisonOp; value: Expression }[] = [];
  for (;;) {
    const op = readComparison(stream);
    if (op === undefined) break;
    rest.push({ op, value: parseSum(stream) });
  }
  return rest.length === 0 ? first : { type: "Compare", first, rest, line: first.line };
}

function readComparison(stream: TokenStream): ComparisonOp | undefined {
  if (stream.isOperator(...COMPARISONS)) return stream.next().value as ComparisonOp; // one of the list
  if (stream.skip("name", "in")) return "in";
  const { following } = stream;
  if (!stream.isWord("not") || following.type !== "name" || following.value !== "in")
    return undefined;
  stream.next();
  stream.next();
  return "not in";
}

function parseSum(stream: TokenStream): Expression {
  return parseBinary(stream, ["+", "-"], parseConcat);
}

function parseConcat(stream: TokenStream): Expression {
  const parts = [parseProduct(stream)];
  while (stream.skip("operator", "~")) parts.push(parseProduct(stream));
  const [first] = parts;
  return parts.length === 1 ? first! : { type: "Concat", parts, line: first!.line }; // at least one
}

function parseProduct(stream: TokenStream): Expression {
  return parseBinary(stream, ["*", "/", "//", "%"], parsePower);
}

/** Jinja's `**` groups from the left, unlike Python's. */
function parsePower(stream: TokenStream): Expression {
  return parseBinary(stream, ["**"], parseUnary);
}

function parseBinary(
  stream: TokenStream,
  ops: readonly ArithmeticOp[],
  parseSide: (stream: TokenStream) => Expression,
): Expression {
  let left = parseSide(stream);
  while (stream.isOperator(...ops)) {
    const op = stream.next().value as ArithmeticOp; // one of ops
    left = { type: "Binary", op, left, right: parseSide(stream), line: left.line };
  }
  return left;
}

function parseUnary(stream: TokenStream, withFilters = true): Expression {
  const { line } = stream.current;
  let node: Expression;
  if (stream.isOperator("-", "+")) {
    const op = stream.next().value === "-" ? "-" : "+";
    node = { type: "Unary", op, value: parseUnary(stream, false), line };
  } else {
    node = parsePrimary(stream);
  }
  node = parsePostfix(stream, node);
  return withFilters ? parseFilters(stream, node) : node;
}

function parsePrimary(stream: TokenStream, withNamespace = false): Expression {
  const { type, value, line } = stream.current;
  if (type === "name") return parseName(stream, withNamespace);
  if (type === "string") {
    let text = "";
    while (stream.is("string")) text += stream.next().value;
    return { type: "Constant", value: text, line };
  }
  if (type === "integer" || type === "float") {
    stream.next();
    return { type: "Constant", value: type === "integer" ? BigInt(value) : Number(value), line };
  }
  if (stream.skip("operator", "(")) {
    const node = parseTuple(stream, { inParentheses: true });
    stream.expect("operator", ")");
    return node;
  }
  if (stream.isOperator("[")) return { type: "List", items: parseItems(stream), line };
  if (stream.isOperator("{")) return { type: "Dict", entries: parseEntries(stream), line };
  throw stream.error(`unexpected '${describe(stream.current)}'`);
}

function parseName(stream: TokenStream, withNamespace: boolean): Expression {
  const { value: name, line } = stream.next();
  const constant = CONSTANTS.get(name);
  if (constant !== undefined) return { type: "Constant", value: constant, line };
  if (withNamespace && stream.skip("operator", ".")) {
    return { type: "NamespaceRef", name, attribute: stream.expect("name").value, line };
  }
  return { type: "Name", name, use: "load", line };
}

function parseItems(stream: TokenStream): Expression[] {
  stream.expect("operator", "[");
  const items: Expression[] = [];
  while (!stream.isOperator("]")) {
    if (items.length > 0) stream.expect("operator", ",");
    if (stream.isOperator("]")) break;
    items.push(parseExpression(stream));
  }
  stream.expect("operator", "]");
  return items;
}

function parseEntries(stream: TokenStream): (readonly [Expression, Expression])[] {
  stream.expect("operator", "{");
  const entries: (readonly [Expression, Expression])[] = [];
  while (!stream.isOperator("}")) {
    if (entries.length > 0) stream.expect("operator", ",");
    if (stream.isOperator("}")) break;
    const key = parseExpression(stream);
    stream.expect("operator", ":");
    entries.push([key, parseExpression(stream)]);
  }
  stream.expect("operator", "}");
  return entries;
}

function parsePostfix(stream: TokenStream, start: Expression): Expression {
  let node = start;
  for (;;) {
    if (stream.isOperator(".", "[")) node = parseSubscript(stream, node);
    else if (stream.isOperator("(")) node = parseCall(stream, node);
    else return node;
  }
}

function parseFilters(stream: TokenStream, start: Expression): Expression {
  let node = start;
  for (;;) {
    if (stream.isOperator("|")) node = parseFilter(stream, node);
    else if (stream.isWord("is")) node = parseTest(stream, node);
    else if (stream.isOperator("(")) node = parseCall(stream, node);
    else return node;
  }
}

function parseSubscript(stream: TokenStream, value: Expression): Expression {
  const { value: sign, line } = stream.next();
  if (sign === ".") {
    const token = stream.next();
    if (token.type === "name") return { type: "Attribute", value, name: token.value, line };
    if (token.type !== "integer") throw stream.error("expected name or number", token.line);
    const key: Expression = { type: "Constant", value: BigInt(token.value), line: token.line };
    return { type: "Item", value, key, line };
  }
  const keys: Expression[] = [];
  while (!stream.isOperator("]")) {
    if (keys.length > 0) stream.expect("operator", ",");
    keys.push(parseKey(stream));
  }
  stream.expect("operator", "]");
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return { type: "Item", value, key: only, line };
  if (keys.some(({ type }) => type === "Slice"))
    throw stream.error("a slice stands in a tuple", line);
  return { type: "Item", value, key: { type: "Tuple", items: keys, line }, line };
}

function parseKey(stream: TokenStream): Expression {
  const { line } = stream.current;
  const start = stream.isOperator(":") ? undefined : parseExpression(stream);
  if (start !== undefined && !stream.isOperator(":")) return start;
  stream.expect("operator", ":");
  const bound = (): Expression | undefined =>
    stream.isOperator("]", ",", ":") ? undefined : parseExpression(stream);
  const stop = bound();
  const step = stream.skip("operator", ":") ? bound() : undefined;
  return { type: "Slice", start, stop, step, line };
}

function parseCall(stream: TokenStream, callee: Expression): Expression {
  const { line } = stream.current;
  return { type: "Call", callee, given: parseArguments(stream), line };
}

const NONE_GIVEN: Arguments = {
  args: [],
  keywords: [],
  moreArgs: undefined,
  moreKeywords: undefined,
};

function parseArguments(stream: TokenStream): Arguments {
  const { line } = stream.expect("operator", "(");
  const args: Expression[] = [];
  const keywords: { key: string; value: Expression }[] = [];
  let moreArgs: Expression | undefined;
  let moreKeywords: Expression | undefined;
  let isFirst = true;
  const ensure = (isFine: boolean): void => {
    if (!isFine) throw stream.error("invalid syntax for function call expression", line);
  };
  while (!stream.isOperator(")")) {
    if (!isFirst) stream.expect("operator", ",");
    if (!isFirst && stream.isOperator(")")) break;
    isFirst = false;
    if (stream.skip("operator", "*")) {
      ensure(moreArgs === undefined && moreKeywords === undefined);
      moreArgs = parseExpression(stream);
    } else if (stream.skip("operator", "**")) {
      ensure(moreKeywords === undefined);
      moreKeywords = parseExpression(stream);
    } else if (stream.is("name") && isAssignment(stream)) {
      ensure(moreKeywords === undefined);
      const key = stream.next().value;
      stream.next();
      ensure(keywords.every((other) => other.key !== key));
      keywords.push({ key, value: parseExpression(stream) });
    } else {
      ensure(moreArgs === undefined && moreKeywords === undefined && keywords.length === 0);
      args.push(parseExpression(stream));
    }
  }
  stream.expect("operator", ")");
  return { args, keywords, moreArgs, moreKeywords };
}

function isAssignment({ following }: TokenStream): boolean {
  return following.type === "operator" && following.value === "=";
}

/** `| name(…)`, one filter. */
function parseFilter(stream: TokenStream, value: Expression | undefined): FilterNode {
  stream.expect("operator", "|");
  return parseFilterName(stream, value);
}

function parseFilterName(stream: TokenStream, value: Expression | undefined): FilterNode {
  const { line } = stream.current;
  const name = parseDottedName(stream);
  const given = stream.isOperator("(") ? parseArguments(stream) : NONE_GIVEN;
  return { type: "Filter", value, name, given, line };
}

/** The filters of a filter block, which begin without a bar, or those behind the name in a set block. */
export function parseBlockFilters(stream: TokenStream, isBarred: boolean): FilterNode | undefined {
  let node = isBarred ? undefined : parseFilterName(stream, undefined);
  while (stream.isOperator("|")) node = parseFilter(stream, node);
  return node;
}

function parseDottedName(stream: TokenStream): string {
  let name = stream.expect("name").value;
  while (stream.skip("operator", ".")) name += `.${stream.expect("name").value}`;
  return name;
}

function parseTest(stream: TokenStream, value: Expression): Expression {
  const { line } = stream.next();
  const isNegated = stream.skip("name", "not");
  const name = parseDottedName(stream);
  const node: Expression = { type: "Test", value, name, given: parseTestArguments(stream), line };
  return isNegated ? { type: "Not", value: node, line } : node;
}

/** In brackets, or one operand without: `n is divisibleby 3`. */
function parseTestArguments(stream: TokenStream): Arguments {
  if (stream.isOperator("(")) return parseArguments(stream);
  const isOperand =
    /^(?:name|string|integer|float)$/.test(stream.current.type) || stream.isOperator("[", "{");
  if (!isOperand || stream.isWord("else", "or", "and")) return NONE_GIVEN;
  if (stream.isWord("is")) throw stream.error("You cannot chain multiple tests with is");
  return { ...NONE_GIVEN, args: [parsePostfix(stream, parsePrimary(stream))] };
}
