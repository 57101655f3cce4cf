import { join } from "node:path";

import { Environment, Interpreter, Template } from "@huggingface/jinja";

import { JsonFloat, orderedKeys, type JsonObject, type JsonValue } from "../format/json-value.ts";
import type { Message } from "../format/messages.ts";
import { ConfigError, CulpritError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { TEMPLATE_DATE, formatTemplateDate } from "./chat-template-date.ts";
import { STRIP_FUNCTIONS, rewriteStrips } from "./chat-template-strip.ts";
import { isRecord, readJsonObject, readTextFile, readTokenizerConfig } from "./tokenizer-config.ts";

/** A template that loops over more than this is broken or hostile; Jinja's sandbox in Python has the same limit. */
const MAX_RANGE = 100_000;

/** What a template is given beside the turns. */
export interface RenderOptions {
  readonly addGenerationPrompt: boolean;
  readonly tools?: readonly JsonValue[] | undefined;
  readonly documents?: readonly JsonValue[] | undefined;
  /** Further variables; they win over the special tokens, as in transformers. */
  readonly kwargs?: JsonObject | undefined;
}

/** A checkpoint's way of writing a conversation as one text. */
export interface ChatTemplate {
  /**
   * The conversation as text. With `addGenerationPrompt` it ends where the assistant's next turn begins. Throws TemplateRefusal
   * where the template itself rejects the conversation, ConfigError where the template does not work.
   */
  render(messages: readonly (JsonObject | Message)[], options: RenderOptions): string;
  /** The template itself. */
  readonly text: string;
  /** The file the template came from. */
  readonly source: string;
  /** SHA-256 over the template's text, the special tokens it is given and, where it prints a date, that date. */
  readonly hash: string;
}

/** The template called raise_exception: it does not take this conversation (two user turns in a row, a system turn, …). */
export class TemplateRefusal extends CulpritError {}

/**
 * Reads the chat template of a model folder: chat_template.jinja, else chat_template.json, else `chat_template` in
 * tokenizer_config.json (of several named templates the one called "default"). Today's date, which some templates print, is always
 * 26 July 2024, so that the same data gives the same tokens on every day. Throws ConfigError where there is no template.
 */
export async function loadChatTemplate(dir: string): Promise<ChatTemplate> {
  const { specialTokens, chatTemplate } = await readTokenizerConfig(dir);
  const { text, source } = await findTemplate(dir, chatTemplate);
  const template = parseTemplate(text, source);
  const date = text.includes("strftime_now") ? TEMPLATE_DATE : undefined;
  return {
    source,
    text,
    hash: hashValue({ template: text, specialTokens, date }),
    render: (messages, { addGenerationPrompt, tools = null, documents = null, kwargs = {} }) =>
      run(template, source, {
        ...specialTokens,
        ...printable(kwargs, source),
        // The keys transformers always passes; templates ask whether they are none.
        tools: printable(tools, source),
        documents: printable(documents, source),
        messages: printable(messages, source),
        add_generation_prompt: addGenerationPrompt,
      }),
  };
}

/** Refuses what the library would print in another way than Python. */
function printable<T>(value: T, source: string): T {
  const what = unprintable(value);
  if (what !== undefined) {
    throw new TemplateRefusal(
      `${source}: expected values that are printed as they are written, got ${what}`,
      { hint: "Leave the row out, or write the value as text." },
    );
  }
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) printable(member, source);
  }
  return value;
}

function unprintable(value: unknown): string | undefined {
  if (value instanceof JsonFloat) return "a number with the fraction 0";
  if (typeof value === "bigint") return "a number beyond 2^53";
  // Python prints 1e-05 where JavaScript prints 0.00001.
  if (typeof value === "number") {
    return value !== 0 && Math.abs(value) < 1e-4 ? "a number below 0.0001" : undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const keys = orderedKeys(value);
  return Object.keys(value).some((key, i) => key !== keys[i])
    ? "keys that are whole numbers behind others"
    : undefined;
}

async function findTemplate(
  dir: string,
  configured: unknown,
): Promise<{ readonly text: string; readonly source: string }> {
  const jinja = join(dir, "chat_template.jinja");
  const text = await readTextFile(jinja);
  if (text !== undefined) return { text, source: jinja };
  const json = join(dir, "chat_template.json");
  const fromJson = (await readJsonObject(json))?.["chat_template"];
  if (fromJson !== undefined) return { text: chooseTemplate(fromJson, json), source: json };
  const source = join(dir, "tokenizer_config.json");
  if (configured !== undefined && configured !== null) {
    return { text: chooseTemplate(configured, source), source };
  }
  throw new ConfigError(
    `${dir}: expected a chat template in chat_template.jinja, chat_template.json or tokenizer_config.json, found none`,
    { hint: "Put a chat_template.jinja into the folder, or use --template raw for a base model." },
  );
}

/** One template, or several under names: then the one called "default". */
function chooseTemplate(value: unknown, source: string): string {
  if (typeof value === "string") return value;
  const named: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.filter(isRecord).map((entry) => [entry["name"], entry["template"]] as const)
    : isRecord(value)
      ? Object.entries(value)
      : [];
  const chosen = named.find(([name]) => name === "default")?.[1];
  if (typeof chosen === "string") return chosen;
  const names = named.map(([name]) => JSON.stringify(name)).join(", ");
  throw new ConfigError(
    `${source}: expected a chat template or one named "default", got ${names === "" ? typeof value : names}`,
    { hint: "Put the one that you want into chat_template.jinja in the same folder." },
  );
}

function parseTemplate(text: string, source: string): Template {
  try {
    const template = new Template(text);
    rewriteStrips(template.parsed);
    return template;
  } catch (error) {
    throw templateFailed(source, "cannot be read", error);
  }
}

function run(template: Template, source: string, variables: Record<string, unknown>): string {
  const environment = new Environment();
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    ...STRIP_FUNCTIONS,
    range,
    strftime_now: formatTemplateDate,
    raise_exception: (reason: unknown) => {
      throw new TemplateRefusal(
        `${source}: the chat template rejects the conversation: ${String(reason)}`,
        { hint: "Leave the row out, or use --template raw." },
      );
    },
  };
  for (const [name, value] of Object.entries({ ...globals, ...variables })) {
    environment.set(name, value);
  }
  try {
    const { value } = new Interpreter(environment).run(template.parsed);
    if (typeof value !== "string") throw new Error("the template gave no text");
    return value;
  } catch (error) {
    if (error instanceof CulpritError) throw error;
    throw templateFailed(source, "fails", error);
  }
}

function templateFailed(source: string, what: string, error: unknown): ConfigError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ConfigError(`${source}: the chat template ${what} (${reason})`, {
    hint: "Put a simpler chat_template.jinja with the same output into the folder, or use --template raw.",
    cause: error,
  });
}

/** Jinja's range(stop) and range(start, stop, step). */
function range(first: number, second?: number, step = 1): readonly number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_RANGE)) throw new Error(`range of ${length} items, at most ${MAX_RANGE}`);
  return Array.from({ length }, (_, i) => start + i * step);
}
