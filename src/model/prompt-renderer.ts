/**
 * @file From a prompt and its possible responses to token ids. The one idea: the response is what the template adds to the rendered
 * prompt, cut as text and tokenised by itself, so that all responses share the same prompt tokens.
 */
import type { Message } from "../format/messages.ts";
import { type ChatTemplate, TemplateRefusal, loadChatTemplate } from "./chat-template.ts";
import { UnusableExampleError } from "./prompt-renderer-error.ts";
import { type TextTokenizer, loadTokenizer } from "./tokenizer.ts";

/** A prompt and what follows it, as token ids. */
export interface RenderedExample {
  /** The rendered prompt, generation prompt included. */
  readonly prompt: Int32Array;
  /** For each response exactly the tokens that the template adds after the prompt; each non-empty. */
  readonly responses: readonly Int32Array[];
}

/** Renders and tokenises preference pairs for one checkpoint. */
export interface PromptRenderer {
  /**
   * Token ids of a prompt and of each response (each the list of turns after the prompt). Throws UnusableExampleError where this
   * one example cannot be rendered; any other error concerns the checkpoint.
   */
  tokenize(prompt: readonly Message[], responses: readonly (readonly Message[])[]): RenderedExample;
  readonly tokenizer: TextTokenizer;
  /** See ChatTemplate.hash; "raw" where the turns are joined without a template. */
  readonly templateHash: string;
  readonly tokenizerHash: string;
}

/**
 * Makes the renderer of a model folder. "chat" (default) uses the checkpoint's chat template; "raw" joins the turns' texts with
 * newlines and puts the tokenizer's begin token before the prompt, as the published code does.
 */
export async function createRenderer(
  dir: string,
  { template = "chat" }: { readonly template?: "chat" | "raw" | undefined } = {},
): Promise<PromptRenderer> {
  const chat = template === "chat" ? await loadChatTemplate(dir) : undefined;
  const tokenizer = await loadTokenizer(dir);
  return {
    tokenizer,
    templateHash: chat?.hash ?? "raw",
    tokenizerHash: tokenizer.hash,
    tokenize: (prompt, responses) => {
      const texts =
        chat === undefined
          ? { prompt: joinTurns(prompt), responses: responses.map(joinTurns) }
          : renderChat(chat, prompt, responses);
      return {
        prompt: tokenizer.encode(texts.prompt, { addSpecialTokens: chat === undefined }),
        responses: texts.responses.map((text, i) => encodeResponse(tokenizer, text, i)),
      };
    },
  };
}

function joinTurns(turns: readonly Message[]): string {
  return turns.map(({ content }) => content).join("\n");
}

function encodeResponse(tokenizer: TextTokenizer, text: string, index: number): Int32Array {
  const ids = tokenizer.encode(text);
  if (ids.length === 0) {
    throw new UnusableExampleError("empty-response", `response ${index} has no tokens`);
  }
  return ids;
}

function renderChat(
  chat: ChatTemplate,
  prompt: readonly Message[],
  responses: readonly (readonly Message[])[],
): { readonly prompt: string; readonly responses: readonly string[] } {
  if (prompt.length === 0) {
    throw new UnusableExampleError(
      "empty-prompt",
      "a chat template needs at least one prompt turn",
    );
  }
  const head = renderOrRefuse(chat, prompt, true);
  const wholes = responses.map((turns) => renderOrRefuse(chat, [...prompt, ...turns], false));
  const start = commonStart(head, wholes);
  if (start === undefined) throw promptNotKept(chat, head, wholes);
  return { prompt: start, responses: wholes.map((whole) => whole.slice(start.length)) };
}

/**
 * The prompt's text that every whole conversation begins with: the rendered prompt, or that without the `<think>` that reasoning
 * models' generation prompts end in. Their templates drop the reasoning of finished turns, and the tag with it, so the response
 * starts where the tag would stand; that is also where preference trainers that take the common prefix put the boundary.
 */
function commonStart(head: string, wholes: readonly string[]): string | undefined {
  const candidates = [head, head.replace(/<think>\s*$/, "")];
  return candidates.find((start) => wholes.every((whole) => whole.startsWith(start)));
}

function renderOrRefuse(
  chat: ChatTemplate,
  messages: readonly Message[],
  addGenerationPrompt: boolean,
): string {
  try {
    return chat.render(messages, { addGenerationPrompt });
  } catch (error) {
    if (!(error instanceof TemplateRefusal)) throw error;
    throw new UnusableExampleError("template-refused", error.message, { cause: error });
  }
}

function promptNotKept(
  chat: ChatTemplate,
  head: string,
  wholes: readonly string[],
): UnusableExampleError {
  const index = wholes.findIndex((whole) => !whole.startsWith(head));
  const whole = wholes[index] ?? "";
  let position = 0;
  while (position < head.length && head[position] === whole[position]) position++;
  return new UnusableExampleError(
    "prompt-not-kept",
    `${chat.source}: expected the rendered prompt to begin the rendered conversation; with response ${index} they part at ` +
      `character ${position} of ${head.length}`,
    {
      hint:
        "The template rewrites earlier turns when later ones follow. Put a chat_template.jinja that does not into the folder, " +
        "or use --template raw.",
    },
  );
}
