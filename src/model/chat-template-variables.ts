/** @file What a chat template is given, prepared as apply_chat_template of transformers 5 does it. */
import type { Plain } from "../template/from-plain.ts";
import { ConfigError } from "../util/errors.ts";

/** A turn with all its keys: role, content, and whatever else it has. */
export interface PlainMessage {
  readonly [key: string]: Plain | undefined;
}

/** What stands beside the turns of a conversation. */
export interface RenderOptions {
  readonly addGenerationPrompt: boolean;
  /** JSON schemas of functions. */
  readonly tools?: readonly Plain[] | undefined;
  readonly documents?: readonly Plain[] | undefined;
  /** More variables for the template (`enable_thinking`, …), which go before special tokens of the same name. */
  readonly kwargs?: { readonly [name: string]: Plain | undefined } | undefined;
}

/** Names under which a turn's reasoning is passed; transformers fills in what a template may read. */
export const REASONING_KEYS = ["reasoning_content", "thinking", "reasoning"] as const;
const OWN_NAMES = ["messages", "tools", "documents", "add_generation_prompt"];

/** The variables of one rendering. Throws ConfigError on a kwarg that is named like what every template is given. */
export function chatVariables(
  messages: readonly PlainMessage[],
  { addGenerationPrompt, tools, documents, kwargs = {} }: RenderOptions,
  specialTokens: Readonly<Record<string, string>>,
): { readonly [name: string]: Plain | undefined } {
  const taken = OWN_NAMES.find((name) => kwargs[name] !== undefined);
  if (taken !== undefined) {
    throw new ConfigError(
      `chat_template_kwargs: expected names of the template's own, got "${taken}"`,
      {
        hint: `Leave "${taken}" out of chat_template_kwargs.`,
      },
    );
  }
  return {
    ...specialTokens,
    ...kwargs,
    // Always given, none where there are none; templates ask for that.
    tools: tools ?? null,
    documents: documents ?? null,
    messages: messages.map(prepareMessage),
    add_generation_prompt: addGenerationPrompt,
  };
}

/** Without keys that are null, and with the reasoning under the names that templates read it by. */
function prepareMessage(message: PlainMessage): PlainMessage {
  const kept = Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== null && value !== undefined),
  );
  const reasoning = REASONING_KEYS.map((key) => kept[key]).find((value) => value !== undefined);
  return reasoning === undefined
    ? kept
    : { thinking: reasoning, ...kept, reasoning_content: reasoning };
}

/** Of the keys that a template did not read, those that the message had itself, with other names of its reasoning taken for one. */
export function ownUnreadKeys(message: PlainMessage, unread: readonly string[]): readonly string[] {
  const hasReadReasoning = REASONING_KEYS.some(
    (key) => !unread.includes(key) && isGiven(message, key),
  );
  return unread.filter((key) => {
    const isReasoning = (REASONING_KEYS as readonly string[]).includes(key);
    return message[key] !== undefined && !(isReasoning && hasReadReasoning);
  });
}

/** Whether the template's message has this key. */
function isGiven(message: PlainMessage, key: (typeof REASONING_KEYS)[number]): boolean {
  if (key === "reasoning") return message[key] !== undefined && message[key] !== null;
  return REASONING_KEYS.some((each) => message[each] !== undefined && message[each] !== null);
}
