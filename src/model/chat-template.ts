import type { Message } from "../format/messages.ts";
import { type CompiledTemplate, compileTemplate } from "../template/compile-template.ts";
import { ConfigError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { TEMPLATE_DATE, formatTemplateDate } from "./chat-template-date.ts";
import { type TemplateFile, findTemplates } from "./chat-template-files.ts";
import {
  type RenderOptions,
  type PlainMessage,
  chatVariables,
  ownUnreadKeys,
} from "./chat-template-variables.ts";
import { readTokenizerConfig } from "./tokenizer-config.ts";

export { TemplateFailure, TemplateRefusal } from "../template/compile-template.ts";
export type { RenderOptions, PlainMessage } from "./chat-template-variables.ts";

/** A conversation as text, and what of it the template passed over. */
export interface RenderedChat {
  readonly text: string;
  /** For each message the keys that it has and the template did not read. */
  readonly unreadKeys: readonly (readonly string[])[];
  /** `tools`, `documents` and names of kwargs that were given and that the template did not read. */
  readonly unreadOptions: readonly string[];
}

/** A checkpoint's way of writing a conversation as one text. */
export interface ChatTemplate {
  /**
   * The conversation as text. With `addGenerationPrompt` it ends where the assistant's next turn begins. Throws TemplateRefusal
   * where the template itself rejects the conversation, ConfigError where the template does not work, UnsupportedError where it
   * reaches a limit.
   */
  render(messages: readonly (Message | PlainMessage)[], options: RenderOptions): string;
  /** The same, and what of the conversation the template did not read. */
  renderWhole(messages: readonly (Message | PlainMessage)[], options: RenderOptions): RenderedChat;
  /** The template itself, and behind it the one for tools where that is another. */
  readonly text: string;
  /** The file the template came from. */
  readonly source: string;
  /** It may write today's date, in whose place it always gets the same one; see TEMPLATE_DATE. */
  readonly writesDate: boolean;
  /** SHA-256 over the template's text, the special tokens it is given and, where it prints a date, that date. */
  readonly hash: string;
}

/**
 * Reads the chat template of a model folder; see findTemplates. A conversation with tools goes through the template named "tool_use"
 * where there is one. Today's date, which some templates print, is always 26 July 2024, so that the same data gives the same tokens on
 * every day. Throws ConfigError where there is no template or it cannot be read, UnsupportedError on a construct that src/template
 * does not have.
 */
export async function loadChatTemplate(dir: string): Promise<ChatTemplate> {
  const { specialTokens, chatTemplate } = await readTokenizerConfig(dir);
  const { plain, withTools } = await findTemplates(dir, chatTemplate);
  const toolTemplate = compile(withTools);
  const plainTemplate = plain === withTools || plain === undefined ? toolTemplate : compile(plain);

  const renderWhole: ChatTemplate["renderWhole"] = (turns, options) => {
    // A Message is a plain object of JSON, too; an interface just has no index signature.
    const messages = turns as readonly PlainMessage[];
    if (options.tools === undefined && plain === undefined) throw onlyForTools(withTools);
    const template = options.tools === undefined ? plainTemplate : toolTemplate;
    const rendered = template.render(chatVariables(messages, options, specialTokens));
    const given = [
      ...(options.tools === undefined ? [] : ["tools"]),
      ...(options.documents === undefined ? [] : ["documents"]),
      ...Object.keys(options.kwargs ?? {}),
    ];
    return {
      text: rendered.text,
      unreadKeys: messages.map((each, i) => ownUnreadKeys(each, rendered.unreadKeys[i] ?? [])),
      unreadOptions: given.filter((name) => !rendered.readVariables.has(name)),
    };
  };
  const { text: template, source } = plain ?? withTools;
  const more = plain === undefined || plain === withTools ? undefined : withTools.text;
  const text = more === undefined ? template : `${template}\n${more}`;
  const writesDate = text.includes("strftime_now");
  const date = writesDate ? TEMPLATE_DATE : undefined;
  return {
    text,
    source,
    writesDate,
    hash: hashValue({ template, toolTemplate: more, specialTokens, date }),
    renderWhole,
    render: (messages, options) => renderWhole(messages, options).text,
  };
}

function compile({ text, source }: TemplateFile): CompiledTemplate {
  return compileTemplate(text, { source, formatDate: formatTemplateDate });
}

function onlyForTools({ source }: TemplateFile): ConfigError {
  return new ConfigError(
    `${source}: expected a chat template for conversations without tools, got only the one for tools`,
    { hint: "Put a chat_template.jinja into the folder, or use --template raw." },
  );
}
