import type { Message, Role } from "../../format/messages.ts";
import { isObject, ownField, type RowFields } from "../readers/file-row.ts";
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
    ? [{ role: "user", content: prompt }]
    : readTurns(fields, "prompt");
}

/** A response: a list of turns, one turn, or the text of one assistant turn. */
export function readResponse(fields: RowFields, column: string): readonly Message[] {
  const value = requireField(fields, column);
  if (typeof value === "string") return [{ role: "assistant", content: value }];
  if (isObject(value)) return [readTurn(value, column)];
  return readTurns(fields, column);
}

/** A text. */
export function readText(fields: RowFields, column: string): string {
  const value = requireField(fields, column);
  if (typeof value === "string") return value;
  throw new RowProblem("wrong-type", `${column}: expected text, got ${kindOf(value)}`);
}

/** The row's `system` text as a turn, or nothing where it has none. */
export function readSystem(fields: RowFields): readonly Message[] {
  if (isAbsent(fields, "system") || ownField(fields, "system") === "") return [];
  return [{ role: "system", content: readText(fields, "system") }];
}

/** Whether a column is not there or null. */
export function isAbsent(fields: RowFields, column: string): boolean {
  const value = ownField(fields, column);
  return value === undefined || value === null;
}

/** Whether a value looks like one turn. */
export function isTurn(value: unknown): boolean {
  return (
    isObject(value) &&
    ((Object.hasOwn(value, "role") && Object.hasOwn(value, "content")) ||
      (Object.hasOwn(value, "from") && Object.hasOwn(value, "value")))
  );
}

/** Whether a value looks like a list of turns; an empty one does not tell. */
export function isTurnList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && isTurn(value[0]);
}

/** "a number", "a list", "null": what stands where something else was expected. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string"
    ? "text"
    : typeof value === "object"
      ? "an object"
      : `a ${typeof value}`;
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
  const name = Object.hasOwn(value, "role") ? value["role"] : value["from"];
  const role = ROLE_NAMES.get(name);
  if (role === undefined) {
    const got = typeof name === "string" ? JSON.stringify(name.slice(0, 40)) : kindOf(name);
    throw new RowProblem("unknown-role", `${where}: expected a known role, got ${got}`);
  }
  const content = Object.hasOwn(value, "role") ? value["content"] : value["value"];
  return { role, content: readContent(content, where) };
}

/** Text, or a list of text parts as vision-ready data has it; byte for byte, nothing trimmed. */
function readContent(content: unknown, where: string): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content) && content.length > 0) {
    return content.map((part) => readPart(part, where)).join("");
  }
  throw new RowProblem("wrong-type", `${where}: expected text as content, got ${kindOf(content)}`);
}

function readPart(part: unknown, where: string): string {
  const text =
    isObject(part) && ownField(part, "type") === "text" ? ownField(part, "text") : undefined;
  if (typeof text === "string") return text;
  throw new RowProblem(
    "wrong-type",
    `${where}: expected text parts only, got another kind of part`,
  );
}
