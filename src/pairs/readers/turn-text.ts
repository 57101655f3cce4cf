import { parseJson } from "../../format/json-value.ts";
import { isTurn } from "../shapes/read-turns.ts";
import type { FileRow } from "./file-row.ts";

/** What Python writes for a list of turns (also pandas, for the arrays that it reads); as text it would pass for a message. */
const PYTHON_OBJECT = /^\s*(?:array\()?\[?\s*\{\s*'\w+'\s*:/;
/** JSON turns that may have been cut off: the first key is one that turns have. */
const JSON_TURN = /^\s*\[?\s*\{\s*"(?:role|content|from|value)"\s*:/;

/**
 * The row with its texts that are a turn or a list of turns in JSON as such turns, since CSV has no other way to carry conversations and
 * other formats are used so too. The test is narrow, so that a prompt that happens to be some other JSON stays the text that it is. Turns in
 * Python's notation, and JSON turns that break off, make a broken row: as text they would pass for what somebody said.
 */
export function parseTurnTexts(row: FileRow): FileRow {
  if (row.kind !== "fields") return row;
  let changed: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(row.fields)) {
    if (typeof value !== "string" || !/^\s*(?:array\()?[[{]/.test(value)) continue;
    const read = readTurnText(value);
    if (read.kind === "broken") return brokenRow(row, `${name}: ${read.detail}`);
    if (read.kind === "turns") {
      changed ??= Object.fromEntries(Object.entries(row.fields)); // own members only, __proto__ too
      changed[name] = read.value;
    }
  }
  return changed === undefined ? row : { ...row, fields: changed };
}

function brokenRow(row: FileRow, detail: string): FileRow {
  const { fileRow, bytes } = row;
  return { kind: "broken", fileRow, bytes, reason: "broken-turns", detail };
}

type TurnText =
  | { readonly kind: "text" }
  | { readonly kind: "turns"; readonly value: unknown }
  | { readonly kind: "broken"; readonly detail: string };

function readTurnText(text: string): TurnText {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return describeBroken(text, error);
  }
  const isTurns = Array.isArray(value) ? value.some(isTurn) : isTurn(value);
  return isTurns ? { kind: "turns", value } : { kind: "text" };
}

function describeBroken(text: string, error: SyntaxError): TurnText {
  if (PYTHON_OBJECT.test(text) && /[}\])]\s*$/.test(text) && hasPythonTurn(text)) {
    return {
      kind: "broken",
      detail: "expected turns as JSON, got Python's notation (write the column with json.dumps)",
    };
  }
  return JSON_TURN.test(text) && breaksOff(error, text)
    ? { kind: "broken", detail: "expected turns as JSON, got JSON that breaks off" }
    : { kind: "text" };
}

/** Whether what is missing is missing at the end, and not something else there. */
function breaksOff({ message }: SyntaxError, text: string): boolean {
  const position = /at position (\d+)/.exec(message)?.[1];
  return (
    /^Unterminated|end of JSON input/.test(message) ||
    (position !== undefined && Number(position) >= text.trimEnd().length)
  );
}

function hasPythonTurn(text: string): boolean {
  const has = (key: string): boolean => text.includes(`'${key}':`);
  return (has("role") && (has("content") || has("tool_calls"))) || (has("from") && has("value"));
}
