/** @file The texts of a prompt and of the conversations that it begins. */
import type { Message } from "../format/messages.ts";
import { withoutOpeningMark } from "../format/thinking-marks.ts";
import { CulpritError } from "../util/errors.ts";
import {
  type ChatTemplate,
  type PlainMessage,
  type RenderedChat,
  TemplateFailure,
  TemplateRefusal,
} from "./chat-template.ts";
import { findHidden, type RenderedTexts } from "./hidden-parts.ts";
import { UnusableExampleError } from "./prompt-renderer-error.ts";
import type { TurnWriter } from "./template-turns.ts";
import { type RowTurns, findUnjoined, findUnread } from "./unread-keys.ts";

/** A prompt and the whole conversations, as text. */
export interface ExampleTexts {
  /** The rendered prompt, generation prompt included. */
  readonly head: string;
  /** For each response the whole conversation. */
  readonly wholes: readonly string[];
  /** What rendered them, for messages. */
  readonly source: string;
  /** What the row says and these texts do not show; see findUnread. */
  readonly unread: readonly string[];
  /** What it says and they show in part or not at all, though the template looks at it; see findHidden. */
  readonly hidden: readonly string[];
  /** Whether a response says nothing, however it is ended. */
  isEmpty(index: number): boolean;
}

/** The turns' texts joined by newlines; nothing stands between prompt and response, and `end` puts the end token behind it. */
export function renderRaw(row: RowTurns, end: (text: string) => string): ExampleTexts {
  const head = joinTurns(row.prompt);
  const tails = row.responses.map(joinTurns);
  return {
    head,
    wholes: tails.map((tail) => head + end(tail)),
    source: "turns joined by newlines",
    unread: findUnjoined(row),
    hidden: [],
    isEmpty: (index) => tails[index] === "",
  };
}

/** The turns' texts joined by newlines. */
export function joinTurns(turns: readonly Message[]): string {
  return turns.map(({ content }) => content).join("\n");
}

/** What the chat template makes of them. Throws UnusableExampleError where it rejects one, or breaks off at one. */
export function renderChat(
  chat: ChatTemplate,
  writeTurns: TurnWriter,
  row: RowTurns,
): ExampleTexts {
  const { prompt, responses, context } = row;
  if (prompt.length === 0) {
    throw new UnusableExampleError(
      "empty-prompt",
      "a chat template needs at least one prompt turn",
    );
  }
  const render = (turns: readonly Message[], addGenerationPrompt: boolean): RenderedChat => {
    try {
      return chat.renderWhole(writeTurns(turns), { addGenerationPrompt, ...context });
    } catch (error) {
      const isOfRow =
        error instanceof TemplateRefusal || (error instanceof TemplateFailure && isSound(chat));
      if (!isOfRow) throw error;
      throw new UnusableExampleError("template-refused", error.message, { cause: error });
    }
  };
  const head = render(prompt, true);
  const wholes = responses.map((turns) => render([...prompt, ...turns], false));
  const texts = { head: head.text, wholes: wholes.map(({ text }) => text) };
  const unread = findUnread(row, { head, wholes });
  const hidden = findHidden(row, texts, (marked) => renderMarked(chat, writeTurns, marked));
  return {
    ...texts,
    source: chat.source,
    unread,
    hidden: hidden.filter((name) => !unread.includes(name)),
    isEmpty: () => false,
  };
}

/** The texts of a row with marks in it; undefined where the template does not take them. */
function renderMarked(
  chat: ChatTemplate,
  writeTurns: TurnWriter,
  { prompt, responses, context }: RowTurns,
): RenderedTexts | undefined {
  const render = (turns: readonly Message[], addGenerationPrompt: boolean): string =>
    chat.render(writeTurns(turns), { addGenerationPrompt, ...context });
  try {
    const wholes = responses.map((turns) => render([...prompt, ...turns], false));
    return { head: render(prompt, true), wholes };
  } catch (error) {
    if (error instanceof CulpritError) return undefined;
    throw error;
  }
}

/**
 * What the template writes behind the turns for the assistant to go on. Where it writes the turns otherwise with and without it, what
 * stands behind the last turn's text.
 */
export function generationPrompt(chat: ChatTemplate, turns: readonly PlainMessage[]): string {
  const head = chat.render(turns, { addGenerationPrompt: true });
  const without = renderWithout(chat, turns);
  if (without !== undefined && head.startsWith(without)) return head.slice(without.length);
  const content = turns.at(-1)?.["content"];
  const last = typeof content === "string" ? content.trim() : "";
  return head.slice(head.lastIndexOf(last) + last.length);
}

function renderWithout(chat: ChatTemplate, turns: readonly PlainMessage[]): string | undefined {
  try {
    return chat.render(turns, { addGenerationPrompt: false });
  } catch (error) {
    if (error instanceof TemplateRefusal || error instanceof TemplateFailure) return undefined;
    throw error;
  }
}

/** Whether a template renders the plainest conversation; one that fails there is at fault itself, not the row. */
function isSound(chat: ChatTemplate): boolean {
  const turns = [
    { role: "user", content: "question" },
    { role: "assistant", content: "answer" },
  ];
  try {
    chat.render(turns.slice(0, 1), { addGenerationPrompt: true });
    chat.render(turns, { addGenerationPrompt: false });
    return true;
  } catch (error) {
    if (error instanceof CulpritError) return false;
    throw error;
  }
}

/**
 * The texts with a prompt that every whole conversation begins with: the rendered prompt, or that without the mark (`<think>`) that reasoning
 * models' generation prompts end in. Their templates drop the reasoning of finished turns, and the tag with it, so the response
 * starts where the tag would stand. Throws UnusableExampleError where there is none.
 */
export function splitByText(texts: ExampleTexts): ExampleTexts {
  const { head, wholes } = texts;
  const candidates = [head, withoutOpeningMark(head)];
  const kept = candidates.find((start) => wholes.every((whole) => whole.startsWith(start)));
  if (kept === undefined) throw promptNotKept(texts);
  return { ...texts, head: kept };
}

function promptNotKept({ head, wholes, source }: ExampleTexts): UnusableExampleError {
  const index = wholes.findIndex((whole) => !whole.startsWith(head));
  const whole = wholes[index] ?? "";
  let position = 0;
  while (position < head.length && head[position] === whole[position]) position++;
  return new UnusableExampleError(
    "prompt-not-kept",
    `${source}: expected the rendered prompt to begin the rendered conversation; with response ${index} they part at ` +
      `character ${position} of ${head.length}`,
    {
      hint:
        "The template rewrites earlier turns when later ones follow. Put a chat_template.jinja that does not into the folder, " +
        "or use --boundary tokens or --template raw.",
    },
  );
}
