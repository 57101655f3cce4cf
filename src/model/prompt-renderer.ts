/**
 * @file From a prompt and its possible responses to token ids. The one idea: what training and sampling see is the whole conversation,
 * tokenised as one text; the response is what follows the tokens that it shares with the prompt.
 */
import type { Message, RowContext } from "../format/messages.ts";
import { endsInOpeningMark, endsWithinThinking } from "../format/thinking-marks.ts";
import { createMarkFinder } from "./answer-marks.ts";
import { describeDate } from "./chat-template-date.ts";
import { loadChatTemplate } from "./chat-template.ts";
import { UnusableExampleError } from "./prompt-renderer-error.ts";
import {
  type ExampleTexts,
  generationPrompt,
  joinTurns,
  renderChat,
  renderRaw,
  splitByText,
} from "./render-example.ts";
import { createTurnWriter } from "./template-turns.ts";
import { type TextTokenizer, loadTokenizer } from "./tokenizer.ts";
import type { RowTurns } from "./unread-keys.ts";

/** Where a response begins. */
export const BOUNDARIES = ["tokens", "text"] as const;
export type Boundary = (typeof BOUNDARIES)[number];

/** A prompt and what follows it, as token ids. */
export interface RenderedExample {
  /** The rendered prompt, generation prompt included, as far as every response keeps its tokens. */
  readonly prompt: Int32Array;
  /** For each response its tokens up to the end of the conversation; each non-empty. */
  readonly responses: readonly Int32Array[];
  /** Tokens at the prompt's end that became others with a response behind them, so that the response begins before them. */
  readonly lostPromptTokens?: number;
  /** The prompt's text holds marks that the template itself writes: it was rendered already. */
  readonly holdsMarks?: boolean;
  /** What the row says and the chat template shows in part or not at all, though it looks at it; see findHidden. */
  readonly hidden?: readonly string[];
}

export interface RendererOptions {
  /** "chat" (default): the checkpoint's chat template. "raw": the turns' texts joined by newlines, then the end token. */
  readonly template?: "chat" | "raw" | undefined;
  /**
   * "tokens" (default): prompt and whole conversation are tokenised, and the response begins behind their longest common beginning over
   * all responses, as TRL 1.16 trains. "text": the rendered text is cut and both parts are tokenised apart.
   */
  readonly boundary?: Boundary | undefined;
  /** Passes over what a row says and the template does not read, instead of refusing the row; default false. */
  readonly ignoreUnread?: boolean | undefined;
  /** Hears where the tokens are others than transformers would give today; each thing is said once. */
  readonly onWarning?: ((line: string) => void) | undefined;
}

/** Renders and tokenises preference pairs for one checkpoint. */
export interface PromptRenderer {
  /**
   * Token ids of a prompt and of each response (each the list of turns after the prompt). Throws UnusableExampleError where this
   * one example cannot be rendered; any other error concerns the checkpoint.
   */
  tokenize(
    prompt: readonly Message[],
    responses: readonly (readonly Message[])[],
    context?: RowContext,
  ): RenderedExample;
  /**
   * What a row says and the template does not show: columns, keys and texts of turns, variables; see RendererOptions.ignoreUnread. Throws
   * UnusableExampleError where it cannot be rendered.
   */
  findUnread(
    prompt: readonly Message[],
    responses: readonly (readonly Message[])[],
    context?: RowContext,
  ): readonly string[];
  /** Whether the rendered prompt ends within thinking; see GeneratingEngine.opensThinking. */
  opensThinking(prompt: readonly Message[]): boolean;
  /** A text as it is, with the tokens that the tokenizer puts around texts and, as TRL trains on texts, the end token behind it. */
  tokenizeText(text: string): Int32Array;
  readonly tokenizer: TextTokenizer;
  readonly template: "chat" | "raw";
  readonly boundary: Boundary;
  /** See ChatTemplate.hash; "raw" and what ends a text where the turns are joined without a template. */
  readonly templateHash: string;
  readonly tokenizerHash: string;
}

/** Makes the renderer of a model folder. */
export async function createRenderer(
  dir: string,
  { template = "chat", boundary = "tokens", ignoreUnread = false, onWarning }: RendererOptions = {},
): Promise<PromptRenderer> {
  const chat = template === "chat" ? await loadChatTemplate(dir) : undefined;
  if (chat?.writesDate === true) onWarning?.(describeDate(chat.source));
  const tokenizer = await loadTokenizer(dir);
  const addSpecialTokens = chat === undefined;
  const endToken = tokenizer.eosId === undefined ? "" : tokenizer.decode([tokenizer.eosId]);
  const writeTurns = chat === undefined ? undefined : createTurnWriter(chat, onWarning);
  const holdsMarks = chat === undefined ? () => false : createMarkFinder(chat, tokenizer);
  const render = (row: RowTurns): ExampleTexts =>
    chat === undefined || writeTurns === undefined
      ? renderRaw(row, (text) => withEnd(text, endToken))
      : renderChat(chat, writeTurns, row);
  return {
    tokenizer,
    template,
    boundary,
    templateHash: chat?.hash ?? (endToken === "" ? "raw" : "raw, end token"),
    tokenizerHash: tokenizer.hash,
    findUnread: (prompt, responses, context = {}) => render({ prompt, responses, context }).unread,
    opensThinking: (prompt) =>
      chat === undefined || writeTurns === undefined
        ? endsInOpeningMark(joinTurns(prompt))
        : endsWithinThinking(generationPrompt(chat, writeTurns(prompt))),
    tokenizeText: (text) => tokenizer.encode(withEnd(text, endToken), { addSpecialTokens: true }),
    tokenize: (prompt, responses, context = {}) => {
      const texts = render({ prompt, responses, context });
      if (!ignoreUnread) refuseUnread(template, texts.unread);
      const ids =
        boundary === "text"
          ? tokenizeApart(tokenizer, splitByText(texts), addSpecialTokens)
          : tokenizeWhole(tokenizer, texts, addSpecialTokens);
      const { hidden } = texts;
      return { ...ids, hidden, holdsMarks: prompt.some(({ content }) => holdsMarks(content)) };
    },
  };
}

type Ids = Omit<RenderedExample, "holdsMarks" | "hidden">;

/** TRL's rule: the response starts at the first token in which the prompt and any whole conversation differ. */
function tokenizeWhole(
  tokenizer: TextTokenizer,
  texts: ExampleTexts,
  addSpecialTokens: boolean,
): Ids {
  const head = tokenizer.encode(texts.head, { addSpecialTokens });
  const wholes = texts.wholes.map((text) => tokenizer.encode(text, { addSpecialTokens }));
  const start = Math.min(head.length, ...wholes.map((whole) => commonLength(head, whole)));
  if (start === 0 && wholes.length > 0) {
    throw new UnusableExampleError(
      "prompt-not-kept",
      `${texts.source}: expected the tokens of the prompt to begin those of the conversation, got none in common`,
      {
        hint: "The template rewrites earlier turns when later ones follow; --template raw does not.",
      },
    );
  }
  const responses = wholes.map((whole, i) => notEmpty(whole.slice(start), texts, i));
  return { prompt: head.slice(0, start), responses, lostPromptTokens: head.length - start };
}

/** Both sides of the cut apart: the prompt is whole, and tokens cannot join across the cut. */
function tokenizeApart(
  tokenizer: TextTokenizer,
  texts: ExampleTexts,
  addSpecialTokens: boolean,
): Ids {
  const { head, wholes } = texts;
  return {
    prompt: tokenizer.encode(head, { addSpecialTokens }),
    responses: wholes.map((whole, i) =>
      notEmpty(tokenizer.encode(whole.slice(head.length)), texts, i),
    ),
    lostPromptTokens: 0,
  };
}

function notEmpty(ids: Int32Array, texts: ExampleTexts, index: number): Int32Array {
  if (ids.length > 0 && !texts.isEmpty(index)) return ids;
  throw new UnusableExampleError("empty-response", `response ${index} has no tokens`);
}

function commonLength(a: Int32Array, b: Int32Array): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/** TRL puts the end token behind a text that does not end in it. */
function withEnd(text: string, endToken: string): string {
  return text.endsWith(endToken) ? text : text + endToken;
}

function refuseUnread(template: "chat" | "raw", unread: readonly string[]): void {
  if (unread.length === 0) return;
  const it = unread.length === 1 ? "it" : "them";
  throw new UnusableExampleError(
    "unread",
    `the row has ${unread.join(", ")} and ${template === "raw" ? "--template raw" : "the chat template"} does not show ${it}`,
    { hint: "--ignore-unread takes such rows without what is not read.", unread },
  );
}
