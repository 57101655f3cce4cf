/** @file Chat messages as Hugging Face chat templates see them. */
import { canonicalJson } from "../util/hash.ts";
import type { JsonObject, JsonValue } from "./json-value.ts";

/** Who speaks in a turn. */
export const ROLES = ["system", "user", "assistant", "tool"] as const;
export type Role = (typeof ROLES)[number];

/** One turn of a conversation. */
export interface Message {
  readonly role: Role;
  /** The turn's text: of a list of text parts all of them in a row, "" where there is none. */
  readonly content: string;
  /**
   * The turn as its row has it, for the template, where that is more than role and text: calls, parts, reasoning, a name. Its role is
   * one of ROLES; keys without a value are left out, as transformers does.
   */
  readonly whole?: JsonObject;
}

/** What a row gives the chat template beside its turns. */
export interface RowContext {
  readonly tools?: readonly JsonValue[] | undefined;
  readonly documents?: readonly JsonValue[] | undefined;
  /** Further variables of the template (`enable_thinking`, …): the row's chat_template_kwargs. */
  readonly kwargs?: JsonObject | undefined;
  /** Columns and keys of the row that say something and that nothing reads. */
  readonly unread?: readonly string[] | undefined;
}

/** The turn as a template gets it. */
export function wholeTurn({ role, content, whole }: Message): JsonObject {
  return whole ?? { role, content };
}

/** Keys in which a turn says something beside its content. */
const SPOKEN_KEYS = ["reasoning_content", "reasoning", "thinking", "tool_calls"] as const;

/** What a turn says, calls and reasoning included: as text, to measure and to compare. */
export function turnText({ content, whole }: Message): string {
  if (whole === undefined) return content;
  const more = SPOKEN_KEYS.flatMap((key) => {
    const value = whole[key];
    return value === undefined ? [] : [typeof value === "string" ? value : canonicalJson(value)];
  });
  return [content, ...more].filter((text) => text !== "").join("\n");
}

/** Whether turnText has what a turn says in this key. */
export const isInText = (key: string): boolean => (SPOKEN_KEYS as readonly string[]).includes(key);

/** The keys of a turn beside role and content, sorted. */
export function extraKeys({ whole = {} }: Message): readonly string[] {
  return Object.keys(whole)
    .filter((key) => key !== "role" && key !== "content")
    .toSorted();
}

/** Whether two turns say the same, every key of them. */
export function isSameTurn(a: Message, b: Message): boolean {
  return (
    a.role === b.role &&
    a.content === b.content &&
    canonicalJson(wholeTurn(a)) === canonicalJson(wholeTurn(b))
  );
}
