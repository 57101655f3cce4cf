/** @file What a row says beside its turns: tools, documents, template variables, a system text, and what nothing reads. */
import { type JsonObject, type JsonValue, parseJson } from "../../format/json-value.ts";
import type { Message, RowContext } from "../../format/messages.ts";
import { spokenKeys } from "../../model/unread-keys.ts";
import { isObject, ownField, type RowFields } from "../readers/file-row.ts";
import { kindOf } from "./kind-of.ts";
import { holdsText } from "./prompt-text.ts";
import { isAbsent, readPrompt, readText } from "./read-turns.ts";
import { RowProblem } from "./shape.ts";

/** Columns that a row context is read from; never kept beside a pair. */
export const CONTEXT_COLUMNS = ["system", "tools", "documents", "chat_template_kwargs"] as const;

/** Columns that say something to the model in data sets of some kind, and that no shape reads. */
const UNREAD_COLUMNS = new Set(
  "functions function_call tool_calls reasoning_content available_tools custom_tools builtin_tools history system_prompt system_message template_kwargs enable_thinking thinking_budget reasoning_effort".split(
    " ",
  ),
);
/** Names of columns with images, video or sound, or with what a processor made of them. */
const MEDIA_COLUMN =
  /^(images?|imgs?|pictures?|videos?|audios?|pixel_values(_videos)?|input_features|input_values)(_(urls?|paths?|bytes|files?|data|base64|b64|grid_thw))?$/i;
/** Columns that hold the request, or a part of it, in data sets of some kind. */
const REQUEST_COLUMNS = ["instruction", "input", "question", "query"] as const;

/** What apply_chat_template itself passes; a row that names them means something else than it says. */
const RESERVED = ["messages", "tools", "documents", "add_generation_prompt", "chat_template"];

/**
 * A row's prompt with its system text before it, and its context; undefined where it has none. `unreadByShape`: what its shape has passed
 * over. Throws RowProblem.
 */
export function readContext(
  fields: RowFields,
  turns: readonly Message[],
  unreadByShape: readonly string[] = [],
): { readonly prompt: readonly Message[]; readonly context: RowContext | undefined } {
  const { prompt, isLost } = withSystem(fields, turns);
  const tools = readList(fields, "tools");
  const documents = readList(fields, "documents");
  const kwargs = readKwargs(fields);
  const unread = [
    ...unreadByShape,
    ...(isLost ? ["system"] : []),
    ...unreadColumns(fields, prompt),
  ];
  const context = {
    ...(tools === undefined ? {} : { tools }),
    ...(documents === undefined ? {} : { documents }),
    ...(kwargs === undefined ? {} : { kwargs }),
    ...(unread.length === 0 ? {} : { unread }),
  };
  return { prompt, context: Object.keys(context).length === 0 ? undefined : context };
}

/**
 * A prompt that a model is asked, with the row's system text before it: roles and texts alone, since that is what rollouts keep. Throws
 * RowProblem where the row says more.
 */
export const readPlainPrompt = (fields: RowFields): readonly Message[] =>
  plainPrompt(fields, readPrompt(fields));

/** The same of turns that were read already; `unreadByShape` as readContext takes it. */
export function plainPrompt(
  fields: RowFields,
  turns: readonly Message[],
  unreadByShape?: readonly string[],
): readonly Message[] {
  const { prompt, context } = readContext(fields, turns, unreadByShape);
  const more = saidBeside(prompt, context);
  if (more.length === 0) return prompt.map(({ role, content }) => ({ role, content }));
  throw new RowProblem("unread", `prompt: expected roles and texts alone, got ${more.join(", ")}`);
}

/** What a prompt says beside roles and texts; columns that nothing reads first. */
export function saidBeside(
  prompt: readonly Message[],
  context: RowContext = {},
): readonly string[] {
  return [...(context.unread ?? []), ...spokenKeys(prompt, [], context)];
}

/** The columns of a row that say something and that nothing reads; text that the prompt has too is read with it. */
function unreadColumns(fields: RowFields, prompt: readonly Message[]): readonly string[] {
  const named = Object.keys(fields).filter(
    (column) =>
      (UNREAD_COLUMNS.has(column) || MEDIA_COLUMN.test(column)) &&
      !saysNothing(ownField(fields, column)),
  );
  const asked = REQUEST_COLUMNS.filter((column) => {
    const text = ownField(fields, column);
    return typeof text === "string" && !holdsText(prompt, text);
  });
  return [...named, ...asked];
}

/** A system text goes before turns that have none; one that the turns contradict is lost. */
function withSystem(
  fields: RowFields,
  turns: readonly Message[],
): { readonly prompt: readonly Message[]; readonly isLost: boolean } {
  if (isAbsent(fields, "system") || ownField(fields, "system") === "") {
    return { prompt: turns, isLost: false };
  }
  const content = readText(fields, "system");
  const [first] = turns;
  if (first?.role === "system") return { prompt: turns, isLost: first.content !== content };
  return { prompt: [{ role: "system", content }, ...turns], isLost: false };
}

/** A list of objects, or its JSON text; undefined where there is none. */
function readList(fields: RowFields, column: string): readonly JsonValue[] | undefined {
  const value = jsonOf(fields, column);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every(isObject)) return value as JsonValue[]; // out of a reader
  throw new RowProblem(
    "wrong-type",
    `${column}: expected a list of objects or its JSON text, got ${kindOf(value)}`,
  );
}

function readKwargs(fields: RowFields): JsonObject | undefined {
  const column = "chat_template_kwargs";
  const value = jsonOf(fields, column);
  if (value === undefined) return undefined;
  if (!isObject(value)) {
    throw new RowProblem(
      "wrong-type",
      `${column}: expected an object or its JSON text, got ${kindOf(value)}`,
    );
  }
  const reserved = RESERVED.find((name) => Object.hasOwn(value, name));
  if (reserved === undefined) return value as JsonObject; // out of a reader
  throw new RowProblem(
    "wrong-type",
    `${column}: expected variables of the template, got "${reserved}", which has a column of its own or is set by the program`,
  );
}

/** A value, parsed where it is JSON text; undefined where it is null or blank. */
function jsonOf(fields: RowFields, column: string): unknown {
  const value = ownField(fields, column) ?? undefined;
  if (typeof value !== "string") return value;
  if (value.trim() === "") return undefined;
  try {
    return parseJson(value) ?? undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RowProblem("wrong-type", `${column}: expected JSON, got other text`);
  }
}

/** Whether a value is empty through and through: null, "", [], {}, and lists and objects of such. */
export function saysNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value === "string") return value.trim() === "";
  if (Array.isArray(value)) return value.every(saysNothing);
  return isObject(value) && !ArrayBuffer.isView(value) && Object.values(value).every(saysNothing);
}
