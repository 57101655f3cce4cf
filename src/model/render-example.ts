/** @file The texts of a prompt and of the conversations that it begins. */
import type { Message, RowContext } from "../format/messages.ts";
import { type ChatTemplate, TemplateRefusal } from "./chat-template.ts";
import { UnusableExampleError } from "./prompt-renderer-error.ts";
import type { TurnWriter } from "./template-turns.ts";

/** A prompt and the whole conversations, as text. */
export interface ExampleTexts {
  /** The rendered prompt, generation prompt included. */
  readonly head: string;
  /** For each response the whole conversation. */
  readonly wholes: readonly string[];
  /** What rendered them, for messages. */
  readonly source: string;
  /** Whether a response says nothing, however it is ended. */
  isEmpty(index: number): boolean;
}

/** The turns' texts joined by newlines; nothing stands between prompt and response, and `end` puts the end token behind it. */
export function renderRaw(
  prompt: readonly Message[],
  responses: readonly (readonly Message[])[],
  end: (text: string) => string,
): ExampleTexts {
  const head = joinTurns(prompt);
  const tails = responses.map(joinTurns);
  return {
    head,
    wholes: tails.map((tail) => head + end(tail)),
    source: "turns joined by newlines",
    isEmpty: (index) => tails[index] === "",
  };
}

function joinTurns(turns: readonly Message[]): string {
  return turns.map(({ content }) => content).join("\n");
}

/** What the chat template makes of them. Throws UnusableExampleError where it refuses one. */
export function renderChat(
  chat: ChatTemplate,
  writeTurns: TurnWriter,
  {
    prompt,
    responses,
    context,
  }: {
    readonly prompt: readonly Message[];
    readonly responses: readonly (readonly Message[])[];
    readonly context: RowContext;
  },
): ExampleTexts {
  if (prompt.length === 0) {
    throw new UnusableExampleError(
      "empty-prompt",
      "a chat template needs at least one prompt turn",
    );
  }
  const render = (turns: readonly Message[], addGenerationPrompt: boolean): string => {
    try {
      return chat.render(writeTurns(turns), { addGenerationPrompt, ...context });
    } catch (error) {
      if (!(error instanceof TemplateRefusal)) throw error;
      throw new UnusableExampleError("template-refused", error.message, { cause: error });
    }
  };
  return {
    head: render(prompt, true),
    wholes: responses.map((turns) => render([...prompt, ...turns], false)),
    source: chat.source,
    isEmpty: () => false,
  };
}

/**
 * The texts with a prompt that every whole conversation begins with: the rendered prompt, or that without the `<think>` that reasoning
 * models' generation prompts end in. Their templates drop the reasoning of finished turns, and the tag with it, so the response
 * starts where the tag would stand. Throws UnusableExampleError where there is none.
 */
export function splitByText(texts: ExampleTexts): ExampleTexts {
  const { head, wholes } = texts;
  const candidates = [head, head.replace(/<think>\s*$/, "")];
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
