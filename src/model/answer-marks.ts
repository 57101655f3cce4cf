import { CulpritError } from "../util/errors.ts";
import type { ChatTemplate } from "./chat-template.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** Shorter ones stand in ordinary text. */
const MIN_MARK_LENGTH = 3;
const QUESTION = "culprit question";

/**
 * Makes a function that says whether a text holds marks of the template: what it writes between a question and its answer
 * (`[/INST]`, `<|im_end|>\n<|im_start|>assistant`), or a special token that it writes around the question. A prompt with such a mark was
 * rendered before it was written into its file.
 */
export function createMarkFinder(
  chat: ChatTemplate,
  tokenizer: TextTokenizer,
): (text: string) => boolean {
  let marks: readonly string[] | undefined;
  return (text) => {
    marks ??= listMarks(chat, tokenizer);
    return marks.some((mark) => text.includes(mark));
  };
}

function listMarks(chat: ChatTemplate, tokenizer: TextTokenizer): readonly string[] {
  const text = renderQuestion(chat);
  const at = text?.indexOf(QUESTION) ?? -1;
  if (text === undefined || at === -1) return [];
  const special = [...new Set(tokenizer.encode(text))]
    .filter((id) => tokenizer.decode([id], { skipSpecialTokens: true }) === "")
    .map((id) => tokenizer.decode([id]));
  return [text.slice(at + QUESTION.length).trim(), ...special].filter(
    (mark) => mark.length >= MIN_MARK_LENGTH,
  );
}

function renderQuestion(chat: ChatTemplate): string | undefined {
  try {
    return chat.render([{ role: "user", content: QUESTION }], { addGenerationPrompt: true });
  } catch (error) {
    // A template that cannot render so plain a question has no marks that could be told.
    if (error instanceof CulpritError) return undefined;
    throw error;
  }
}
