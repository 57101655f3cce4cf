import type { JsonObject } from "../../format/json-value.ts";
import type { Message, Role } from "../../format/messages.ts";
import { isObject, ownField, type RowFields } from "../readers/file-row.ts";
import { kindOf } from "./kind-of.ts";
import { readCall } from "./read-call.ts";
import { readContent, wholeText } from "./read-content.ts";
import { RowProblem } from "./shape.ts";

/** The names that data sets give to the four roles; compared as they are, case included. */
const ROLE_NAMES = new Map<unknown, Role>([
  ["system", "system"],
  ["user", "user"],
  ["human", "user"],
  ["assistant", "assistant"],
  ["gpt", "assistant"],
  ["function_call", "assistant"],
  ["tool", "tool"],
  ["observation", "tool"],
]);

/** A list of turns, `{role, content}` or `{from, value}` each; `column` names it in messages. */
export function readTurns(fields: RowFields, column: string): readonly Message[] {
  const value = requireField(fields, column);
  if (!Array.isArray(value)) {
    throw new RowProblem("wrong-type", `${column}: expected a list of turns, got ${kindOf(value)}`);
  }
  return value.map((turn, i) => readTurn(turn, `${column}[${i}]`));
}

/** A prompt: a list of turns, or the text of one user turn. */
export function readPrompt(fields: RowFields): readonly Message[] {
  const prompt = ownField(fields, "prompt");
  return typeof prompt === "string"
    ? [{ role: "user", content: wholeText(prompt, "prompt") }]
    : readTurns(fields, "prompt");
}

/** A response: a list of turns, one turn, or the text of one assistant turn. */
export function readResponse(fields: RowFields, column: string): readonly Message[] {
  const value = requireField(fields, column);
  if (typeof value === "string") {
    return [{ role: "assistant", content: wholeText(value, column) }];
  }
  if (isObject(value)) return [readTurn(value, column)];
  return readTurns(fields, column);
}

/** A text. */
export function readText(fields: RowFields, column: string): string {
  const value = requireField(fields, column);
  if (typeof value === "string") return wholeText(value, column);
  throw new RowProblem("wrong-type", `${column}: expected text, got ${kindOf(value)}`);
}

/** Whether a column is not there or null. */
export function isAbsent(fields: RowFields, column: string): boolean {
  const value = ownField(fields, column);
  return value === undefined || value === null;
}

/** Whether a value looks like one turn. */
export function isTurn(value: unknown): boolean {
  if (!isObject(value)) return false;
  const has = (name: string): boolean => Object.hasOwn(value, name);
  return (has("role") && (has("content") || has("tool_calls"))) || (has("from") && has("value"));
}

/** Whether a value looks like a list of turns; an empty one does not tell. */
export function isTurnList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && isTurn(value[0]);
}

function requireField(fields: RowFields, column: string): unknown {
  if (isAbsent(fields, column)) {
    throw new RowProblem("missing-field", `${column}: expected a value, got none`);
  }
  return ownField(fields, column);
}

function readTurn(value: unknown, where: string): Message {
  if (!isObject(value) || !isTurn(value)) {
    const got = isObject(value) ? "an object without them" : kindOf(value);
    throw new RowProblem(
      "wrong-type",
      `${where}: expected {role, content} or {from, value}, got ${got}`,
    );
  }
  const [roleKey, textKey] = Object.hasOwn(value, "role") ? ["role", "content"] : ["from", "value"];
  const name = value[roleKey];
  const role = ROLE_NAMES.get(name);
  if (role === undefined) {
    const got = typeof name === "string" ? JSON.stringify(name.slice(0, 40)) : kindOf(name);
    throw new RowProblem("unknown-role", `${where}: expected a known role, got ${got}`);
  }
  const said = ownField(value, textKey);
  if (name === "function_call") {
    const call = readCall(said);
    if (call !== undefined) return call;
  }
  const others = Object.entries(value).filter(
    ([key, member]) => key !== roleKey && key !== textKey && !isNothing(member),
  );
  const hasCalls = others.some(
    ([key, calls]) => key === "tool_calls" && Array.isArray(calls) && calls.length > 0,
  );
  const content = readContent(said, where, { mayBeAbsent: hasCalls });
  if (others.length === 0 && typeof said === "string") return { role, content };
  return { role, content, whole: wholeOf(value, { roleKey, textKey, role }) };
}

/** The row's own object in its own order; its values came out of a reader, so they are JSON. */
function wholeOf(
  value: RowFields,
  { roleKey, textKey, role }: { roleKey: string; textKey: string; role: Role },
): JsonObject {
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (key === roleKey) return [["role", role]];
    if (key === textKey) return isNothing(member) ? [] : [["content", member]];
    return isNothing(member) ? [] : [[key, member]];
  });
  return Object.fromEntries(members) as JsonObject;
}

/** transformers drops a turn's keys without a value before the template sees it. */
function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}
