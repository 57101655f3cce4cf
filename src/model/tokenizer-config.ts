import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { FormatError, RuntimeError } from "../util/errors.ts";

/** A far larger tokenizer file is not one; the largest in use is some 40 MB. */
const MAX_JSON_BYTES = 512 * 2 ** 20;

/** A token that tokenizer.json may lack but tokenizer_config.json declares. */
export interface DeclaredToken {
  /** Undefined where only the text is declared and the id must come from the vocabulary. */
  readonly id: number | undefined;
  readonly content: string;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly singleWord: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** What tokenizer_config.json (and the older special_tokens_map.json) say; an absent file says nothing. */
export interface TokenizerConfig {
  /** `bos_token` → its text, and so on, as chat templates name them. */
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly declaredTokens: readonly DeclaredToken[];
  readonly cleanUpTokenizationSpaces: boolean;
  /** A template's text, or a list of named ones; unchecked. */
  readonly chatTemplate: unknown;
}

/** Reads a model folder's tokenizer_config.json. Throws FormatError where a file is there and is not a JSON object. */
export async function readTokenizerConfig(dir: string): Promise<TokenizerConfig> {
  const older = (await readJsonObject(join(dir, "special_tokens_map.json"))) ?? {};
  const config = { ...older, ...(await readJsonObject(join(dir, "tokenizer_config.json"))) };
  const specialTokens: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    const text = tokenText(value);
    if (/^(?!add_)\w+_token$/.test(key) && text !== undefined) specialTokens[key] = text;
  }
  const extra = [config["additional_special_tokens"], config["extra_special_tokens"]].flatMap(
    (list) => (Array.isArray(list) ? list : isRecord(list) ? Object.values(list) : []),
  );
  return {
    specialTokens,
    declaredTokens: [
      ...Object.entries(asRecord(config["added_tokens_decoder"])).map(([id, token]) =>
        declaredToken(token, Number(id)),
      ),
      ...[...Object.values(specialTokens), ...extra].map((token) =>
        declaredToken(token, undefined),
      ),
    ].filter((token) => token !== undefined),
    cleanUpTokenizationSpaces: config["clean_up_tokenization_spaces"] === true,
    chatTemplate: config["chat_template"],
  };
}

/** The JSON object in a file, or undefined where there is no such file. Throws FormatError on anything but an object. */
export async function readJsonObject(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readTextFile(path);
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${path}: expected JSON, got something else`, {
      hint: "Download the file again.",
      cause: error,
    });
  }
  if (!isRecord(parsed)) throw new FormatError(`${path}: expected a JSON object`);
  return parsed;
}

/** A file's text, or undefined where there is no such file; its size is checked before it is read. */
export async function readTextFile(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_JSON_BYTES) {
      throw new FormatError(
        `${path}: expected at most ${MAX_JSON_BYTES} bytes, the file has ${size}`,
      );
    }
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (typeof code === "string") {
      throw new RuntimeError(`${path}: cannot be read (${code})`, { cause: error });
    }
    throw error;
  }
}

/** True for a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function declaredToken(token: unknown, id: number | undefined): DeclaredToken | undefined {
  const content = tokenText(token);
  if (content === undefined || content === "") return undefined;
  const flags = isRecord(token) ? token : {};
  return {
    id,
    content,
    lstrip: flags["lstrip"] === true,
    rstrip: flags["rstrip"] === true,
    singleWord: flags["single_word"] === true,
    normalized: flags["normalized"] === true,
    special: id === undefined || flags["special"] === true,
  };
}

/** Tokens are written as plain texts or as objects with their flags. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = isRecord(value) ? value["content"] : undefined;
  return typeof content === "string" ? content : undefined;
}

function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
