/** @file What a row says and a chat template does not show. */
import type { JsonValue } from "../format/json-value.ts";
import { extraKeys, isInText, type Message, type RowContext } from "../format/messages.ts";
import { REASONING_KEYS } from "./chat-template-variables.ts";
import type { RenderedChat } from "./chat-template.ts";

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

/** Keys of a turn in which it says something beside its text. */
export function spokenKeysOf(turn: Message): readonly string[] {
  return extraKeys(turn).filter((key) => !isLabel(turn, key));
}

/** Those of them that turnText does not have. */
export const untoldKeysOf = (turn: Message): readonly string[] =>
  spokenKeysOf(turn).filter((key) => !isInText(key));

/** Keys of the turns, and names of the row's context, in which something is said beside the text; each once. */
export function spokenKeys(
  prompt: readonly Message[],
  responses: readonly (readonly Message[])[],
  context: RowContext,
): readonly string[] {
  const turns = [prompt, ...responses].flat();
  return unique([...turns.flatMap(spokenKeysOf), ...spokenOptions(context)]);
}

function spokenOptions({ tools, documents, kwargs = {} }: RowContext): readonly string[] {
  return [
    ...(isEmpty(tools) ? [] : ["tools"]),
    ...(isEmpty(documents) ? [] : ["documents"]),
    ...Object.keys(kwargs).filter((name) => kwargs[name] !== null),
  ];
}

/** A prompt with its possible responses, as their row has them. */
export interface RowTurns {
  readonly prompt: readonly Message[];
  readonly responses: readonly (readonly Message[])[];
  readonly context: RowContext;
}

/** What a chat template made of them: the prompt, and for each response the whole conversation. */
export interface Renderings {
  readonly head: RenderedChat;
  readonly wholes: readonly RenderedChat[];
}

/** What is lost where turns are joined without a template: everything beside their text. */
export function findUnjoined({ prompt, responses, context }: RowTurns): readonly string[] {
  return [...(context.unread ?? []), ...spokenKeys(prompt, responses, context)];
}

/**
 * What no rendering of the row read: columns, keys and texts of turns, tools, documents, variables. Each turn counts by itself. Only
 * reasoning in the prompt is not missed where the template shows that of another turn: templates drop that of earlier turns on purpose.
 */
export function findUnread(row: RowTurns, { head, wholes }: Renderings): readonly string[] {
  const { prompt, responses, context } = row;
  const all = [head, ...wholes];
  const asked = prompt.map((turn, i) => ({ turn, unread: keysUnreadIn(all, i) }));
  const answered = responses.flatMap((turns, k) =>
    turns.map((turn, i) => ({
      turn,
      unread: keysUnreadIn(wholes.slice(k, k + 1), prompt.length + i),
    })),
  );
  const showsReasoning = [...asked, ...answered].some(({ turn, unread }) =>
    REASONING_KEYS.some((key) => turn.whole?.[key] !== undefined && !unread.includes(key)),
  );
  return unique([
    ...(context.unread ?? []),
    ...asked.flatMap(namesOfUnread).filter((key) => !(showsReasoning && isReasoning(key))),
    ...answered.flatMap(namesOfUnread),
    ...spokenOptions(context).filter((name) =>
      all.every(({ unreadOptions }) => unreadOptions.includes(name)),
    ),
  ]);
}

/** Keys of the turn at this place that none of the renderings that have it read. */
function keysUnreadIn(renderings: readonly RenderedChat[], place: number): readonly string[] {
  const [first = [], ...others] = renderings.flatMap(({ unreadKeys }) =>
    unreadKeys[place] === undefined ? [] : [unreadKeys[place]],
  );
  return first.filter((key) => others.every((keys) => keys.includes(key)));
}

function namesOfUnread({
  turn,
  unread,
}: {
  readonly turn: Message;
  readonly unread: readonly string[];
}): readonly string[] {
  const keys = extraKeys(turn).filter((key) => unread.includes(key) && !isLabel(turn, key));
  const isTextLost = unread.includes("content") && turn.content.trim() !== "";
  return isTextLost ? [...keys, `the text of the ${turn.role} turn`] : keys;
}

function isReasoning(key: string): boolean {
  return (REASONING_KEYS as readonly string[]).includes(key);
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
