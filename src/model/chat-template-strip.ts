/**
 * @file Python's strip, lstrip, rstrip and Jinja's trim for chat templates. The template library ignores their argument (so that
 * `lstrip('\n')` would take leading spaces too) and trims JavaScript's white space, which has U+FEFF in it and lacks some control
 * characters. Templates are rewritten to call the functions here instead.
 */
import type { Template } from "@huggingface/jinja";

import { isRecord } from "./tokenizer-config.ts";

const METHODS = ["strip", "lstrip", "rstrip"];
/** What str.isspace() holds to be white space in Python. */
const PYTHON_SPACES =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000";

/** The variables that a rewritten template needs. */
export const STRIP_FUNCTIONS: Readonly<Record<string, unknown>> = {
  __strip: (text: unknown, characters?: unknown) => strip("strip", text, characters),
  __lstrip: (text: unknown, characters?: unknown) => strip("lstrip", text, characters),
  __rstrip: (text: unknown, characters?: unknown) => strip("rstrip", text, characters),
};

/** Rewrites, in place, each `x.strip(…)` and `x | trim` of a parsed template into a call of one of STRIP_FUNCTIONS. */
export function rewriteStrips(parsed: Template["parsed"]): void {
  rewriteMembers(parsed);
}

/** Visits every node below `node`, children first. */
function rewriteMembers(node: unknown): void {
  if (node instanceof Map) {
    // The entries of an object literal; keys and values are nodes.
    const entries = [...node.entries()] as [unknown, unknown][];
    node.clear();
    for (const [key, value] of entries) node.set(rewritten(key), rewritten(value));
  } else if (typeof node === "object" && node !== null) {
    const members = node as Record<string, unknown>; // arrays too, by index
    for (const key of Object.keys(members)) members[key] = rewritten(members[key]);
  }
}

function rewritten(node: unknown): unknown {
  rewriteMembers(node);
  if (!isRecord(node)) return node;
  if (node["type"] === "CallExpression") {
    const { callee, args } = node;
    const name = isRecord(callee) && callee["computed"] === false ? nameOf(callee["property"]) : "";
    if (!isRecord(callee) || !METHODS.includes(name)) return node;
    return call(`__${name}`, [callee["object"], ...(args as readonly unknown[])]); // a call's args are a list
  }
  if (node["type"] === "FilterExpression") {
    const { filter, operand } = node;
    if (nameOf(filter) === "trim") return call("__strip", [operand]);
    if (!isRecord(filter) || nameOf(filter["callee"]) !== "trim") return node;
    return call("__strip", [operand, ...(filter["args"] as readonly unknown[])]);
  }
  return node;
}

function nameOf(node: unknown): string {
  const isName = isRecord(node) && node["type"] === "Identifier";
  return isName && typeof node["value"] === "string" ? node["value"] : "";
}

function call(name: string, args: readonly unknown[]): Record<string, unknown> {
  return { type: "CallExpression", callee: { type: "Identifier", value: name }, args };
}

function strip(side: string, text: unknown, characters: unknown): string {
  if (typeof text !== "string") throw new Error(`${side}() of something that is not text`);
  const taken = new Set(typeof characters === "string" ? characters : PYTHON_SPACES);
  // All of Python's spaces and what templates strip lie in the basic plane, so code units do.
  let start = 0;
  let end = text.length;
  if (side !== "rstrip") while (start < end && taken.has(text[start]!)) start++;
  if (side !== "lstrip") while (end > start && taken.has(text[end - 1]!)) end--;
  return text.slice(start, end);
}
