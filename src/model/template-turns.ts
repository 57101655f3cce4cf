/** @file Turns as a chat template is given them. */
import type { JsonObject, JsonValue } from "../format/json-value.ts";
import { type Message, wholeTurn } from "../format/messages.ts";
import { CulpritError } from "../util/errors.ts";
import type { ChatTemplate } from "./chat-template.ts";

/** Makes of turns what the template is given. */
export type TurnWriter = (turns: readonly Message[]) => readonly JsonObject[];

/**
 * Turns as they are in their rows. One thing is done better than transformers does it: a list of text parts goes as one text to a
 * template that knows no lists, which would print Python's notation of it; `onWarning` hears of it once.
 */
export function createTurnWriter(
  chat: ChatTemplate,
  onWarning: (line: string) => void = () => {},
): TurnWriter {
  let knows: boolean | undefined;
  const ask = (): boolean => {
    const does = knowsParts(chat);
    if (!does) onWarning(`${chat.source} ${NO_LISTS}`);
    return does;
  };
  return (turns) =>
    turns.map((turn) => {
      const whole = wholeTurn(turn);
      if (!Array.isArray(whole["content"])) return whole;
      knows ??= ask();
      return knows ? whole : { ...whole, content: turn.content };
    });
}

const NO_LISTS =
  "knows no lists of text parts: their texts are joined here; transformers, and TRL with it, writes the list in Python's notation";

/** Whether a template writes the texts of a list of parts, and only these. */
function knowsParts(chat: ChatTemplate): boolean {
  const part = (text: string): JsonValue => ({ type: "text", text });
  const content = [part("culprit-part-1"), part("culprit-part-2")];
  try {
    const text = chat.render([{ role: "user", content }], { addGenerationPrompt: true });
    return /culprit-part-1[^]*culprit-part-2/.test(text) && !/['"]type['"]/.test(text);
  } catch (error) {
    // A template that fails on a list does not know lists.
    if (error instanceof CulpritError) return false;
    throw error;
  }
}
