/** @file Jinja's statements. */
import { tokenize } from "./lexer.ts";
import type {
  CallNode,
  Expression,
  ForNode,
  IfNode,
  ParametersNode,
  Statement,
  TemplateNode,
} from "./nodes.ts";
import {
  parseBlockFilters,
  parseExpression,
  parseTarget,
  parseTargetName,
  parseTuple,
} from "./parse-expression.ts";
import { UnsupportedConstruct } from "./python-error.ts";
import { TokenStream } from "./token-stream.ts";

/** Statements of Jinja that no single template needs: they reach for other templates or change the escaping. */
const UNSUPPORTED_TAGS = ["include", "import", "from", "extends", "block", "autoescape"];

/** Throws TemplateSyntaxError where Jinja does, UnsupportedConstruct for a tag that only Jinja knows. */
export function parseTemplate(text: string): TemplateNode {
  const stream = new TokenStream(tokenize(text));
  return { type: "Template", body: parseBody(stream, []) };
}

/** Up to one of the end words, which stays unread; without any, up to the end of the template. */
function parseBody(stream: TokenStream, ends: readonly string[]): Statement[] {
  const body: Statement[] = [];
  for (;;) {
    const { type, value, line } = stream.current;
    if (type === "eof") {
      if (ends.length === 0) return body;
      throw stream.error(`Unexpected end of template. Expected one of ${ends.join(", ")}.`);
    }
    stream.next();
    if (type === "data") body.push({ type: "Data", text: value, line });
    else if (type === "variable_begin") {
      body.push({ type: "Print", values: [parseTuple(stream)], line });
      stream.expect("variable_end");
    } else {
      if (stream.isWord(...ends) && ends.length > 0) return body;
      body.push(parseStatement(stream, ends));
      stream.expect("block_end");
    }
  }
}

/** The body of a statement; its first end word is read. */
function parseUntil(
  stream: TokenStream,
  ...ends: readonly string[]
): { body: Statement[]; end: string } {
  stream.skip("operator", ":");
  stream.expect("block_end");
  const body = parseBody(stream, ends);
  return { body, end: stream.next().value };
}

function parseStatement(stream: TokenStream, ends: readonly string[]): Statement {
  const { type, value: tag, line } = stream.current;
  if (type !== "name") throw stream.error("tag name expected");
  if (UNSUPPORTED_TAGS.includes(tag)) {
    throw new UnsupportedConstruct(`it uses the statement {% ${tag} %}`, line);
  }
  stream.next();
  switch (tag) {
    case "for":
      return parseFor(stream, line);
    case "if":
      return parseIf(stream, line);
    case "set":
      return parseSet(stream, line);
    case "macro": {
      const { name } = parseTargetName(stream, "store");
      const parameters = parseParameters(stream);
      return { type: "Macro", name, ...parameters, ...bodyOf(stream, "endmacro"), line };
    }
    case "call":
      return parseCallBlock(stream, line);
    case "filter": {
      const filter = parseBlockFilters(stream, false)!; // the first one is not optional
      return { type: "FilterBlock", ...bodyOf(stream, "endfilter"), filter, line };
    }
    case "with":
      return parseWith(stream, line);
    case "generation":
      return {
        type: "Generation",
        params: [],
        defaults: [],
        ...bodyOf(stream, "endgeneration"),
        line,
      };
    case "print":
      return { type: "Print", values: parsePrinted(stream), line };
    case "break":
      return { type: "Break", line };
    case "continue":
      return { type: "Continue", line };
    default: {
      const looking = ends.length > 0 ? ` Looking for ${ends.join(", ")}.` : "";
      throw stream.error(`Encountered unknown tag '${tag}'.${looking}`, line);
    }
  }
}

function bodyOf(stream: TokenStream, end: string): { body: Statement[] } {
  return { body: parseUntil(stream, end).body };
}

function parseFor(stream: TokenStream, line: number): ForNode {
  const target = parseTarget(stream, { endWord: "in" });
  stream.expect("name", "in");
  const iterable = parseTuple(stream, { withChoice: false, endWord: "recursive" });
  const test = stream.skip("name", "if") ? parseExpression(stream) : undefined;
  const recursive = stream.skip("name", "recursive");
  const { body, end } = parseUntil(stream, "endfor", "else");
  const otherwise = end === "endfor" ? [] : parseUntil(stream, "endfor").body;
  return { type: "For", target, iterable, body, otherwise, test, recursive, line };
}

function parseIf(stream: TokenStream, line: number): IfNode {
  const first = parseBranch(stream, line);
  const elifs: IfNode[] = [];
  let { end } = first;
  while (end === "elif") {
    const branch = parseBranch(stream, stream.current.line);
    elifs.push(branch.node);
    ({ end } = branch);
  }
  const otherwise = end === "else" ? parseUntil(stream, "endif").body : [];
  return { ...first.node, elifs, otherwise };
}

function parseBranch(stream: TokenStream, line: number): { node: IfNode; end: string } {
  const test = parseTuple(stream, { withChoice: false });
  const { body, end } = parseUntil(stream, "elif", "else", "endif");
  return { node: { type: "If", test, body, elifs: [], otherwise: [], line }, end };
}

function parseSet(stream: TokenStream, line: number): Statement {
  const target = parseTarget(stream, { withNamespace: true });
  if (stream.skip("operator", "=")) return { type: "Set", target, value: parseTuple(stream), line };
  const filter = parseBlockFilters(stream, true);
  return { type: "SetBlock", target, filter, ...bodyOf(stream, "endset"), line };
}

function parseParameters(stream: TokenStream): ParametersNode {
  const params = [];
  const defaults: Expression[] = [];
  stream.expect("operator", "(");
  while (!stream.isOperator(")")) {
    if (params.length > 0) stream.expect("operator", ",");
    params.push(parseTargetName(stream, "param"));
    if (stream.skip("operator", "=")) defaults.push(parseExpression(stream));
    else if (defaults.length > 0)
      throw stream.error("non-default argument follows default argument");
  }
  stream.expect("operator", ")");
  return { params, defaults };
}

function parseCallBlock(stream: TokenStream, line: number): Statement {
  const parameters = stream.isOperator("(")
    ? parseParameters(stream)
    : { params: [], defaults: [] };
  const call = parseExpression(stream);
  if (call.type !== "Call") throw stream.error("expected call", line);
  const node: CallNode = call;
  return { type: "CallBlock", call: node, ...parameters, ...bodyOf(stream, "endcall"), line };
}

function parseWith(stream: TokenStream, line: number): Statement {
  const targets = [];
  const values: Expression[] = [];
  while (!stream.is("block_end")) {
    if (targets.length > 0) stream.expect("operator", ",");
    targets.push(asParameter(parseTarget(stream)));
    stream.expect("operator", "=");
    values.push(parseExpression(stream));
  }
  return { type: "With", targets, values, ...bodyOf(stream, "endwith"), line };
}

function asParameter<T extends Expression>(target: T): T {
  if (target.type === "Name") return { ...target, use: "param" };
  return target.type === "Tuple" ? { ...target, items: target.items.map(asParameter) } : target;
}

function parsePrinted(stream: TokenStream): Expression[] {
  const values: Expression[] = [];
  while (!stream.is("block_end")) {
    if (values.length > 0) stream.expect("operator", ",");
    values.push(parseExpression(stream));
  }
  return values;
}
