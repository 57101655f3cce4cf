/** @file What a row says and a chat template does not show. */
import type { JsonObject, JsonValue } from "../format/json-value.ts";
import { extraKeys, type Message, type RowContext, wholeTurn } from "../format/messages.ts";
import { CulpritError } from "../util/errors.ts";
import type { ChatTemplate } from "./chat-template.ts";
import { REASONING_KEYS } from "./template-turns.ts";

/** Keys of turns that label them and are no part of what is said; they are passed over, and counted by the audit. */
const LABEL_KEYS = new Set(
  "id message_id uuid tool_call_id turn_id turn_identifier timestamp create_time update_time created_at date language country state hashed_ip header model source annotator channel status metadata openai_moderation detoxify_moderation".split(
    " ",
  ),
);

/** Whether a turn's key is a label: by its name, by its value (a number, a flag, nothing), or the name of a tool. */
function isLabel(turn: Message, key: string): boolean {
  const value = turn.whole?.[key];
  if (LABEL_KEYS.has(key) || !holdsText(value)) return true;
  return key === "name" && turn.role === "tool";
}

/** Keys of the turns that label them, each once. */
export function labelKeys(turns: readonly Message[]): readonly string[] {
  return unique(turns.flatMap((turn) => extraKeys(turn).filter((key) => isLabel(turn, key))));
}

/** Keys of the turns, and names of the row's context, in which something is said beside the text; each once. */
export function spokenKeys(
  prompt: readonly Message[],
  responses: readonly (readonly Message[])[],
  { tools, documents, kwargs = {} }: RowContext,
): readonly string[] {
  const turns = [prompt, ...responses].flat();
  return unique([
    ...turns.flatMap((turn) => extraKeys(turn).filter((key) => !isLabel(turn, key))),
    ...(isEmpty(tools) ? [] : ["tools"]),
    ...(isEmpty(documents) ? [] : ["documents"]),
    ...Object.keys(kwargs).filter((name) => kwargs[name] !== null),
  ]);
}

/**
 * What of that a template does not show: its source does not name the key, and the rendered text is the same without it. Without a
 * template nothing of it is shown. Columns that nothing reads come first.
 */
export function findUnread(
  chat: ChatTemplate | undefined,
  prompt: readonly Message[],
  responses: readonly (readonly Message[])[],
  context: RowContext,
): readonly string[] {
  const spoken = spokenKeys(prompt, responses, context).filter(
    (key) =>
      chat === undefined ||
      (!isNamed(chat, key) &&
        responses.every((turns) => isWithoutEffect(chat, [...prompt, ...turns], context, key))),
  );
  return [...(context.unread ?? []), ...spoken];
}

/** "name" stands in most templates, for the names of tools: only its effect tells. */
function isNamed({ text }: ChatTemplate, key: string): boolean {
  if (key === "name") return false;
  const names = (REASONING_KEYS as readonly string[]).includes(key) ? REASONING_KEYS : [key];
  return names.some((name) => text.includes(name));
}

function isWithoutEffect(
  chat: ChatTemplate,
  turns: readonly Message[],
  context: RowContext,
  key: string,
): boolean {
  const render = (whole: readonly JsonObject[], given: RowContext): string | undefined => {
    try {
      return chat.render(whole, { addGenerationPrompt: false, ...given });
    } catch (error) {
      if (error instanceof CulpritError) return undefined;
      throw error;
    }
  };
  const wholes = turns.map(wholeTurn);
  const { [key]: _, ...kwargs } = context.kwargs ?? {};
  const less = { ...context, kwargs, ...(isContextName(key) ? { [key]: undefined } : {}) };
  return render(wholes, context) === render(wholes.map(without(key)), less);
}

function isContextName(key: string): boolean {
  return key === "tools" || key === "documents";
}

function without(key: string): (turn: JsonObject) => JsonObject {
  return (turn) => {
    const { [key]: _, ...rest } = turn;
    return rest;
  };
}

function isEmpty(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

function holdsText(value: JsonValue | undefined): boolean {
  if (typeof value === "string") return value.trim() !== "";
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(holdsText);
}

function unique(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)];
}
