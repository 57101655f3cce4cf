import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { FormatError, RuntimeError } from "../util/errors.ts";

/** A far larger tokenizer file is not one; the largest in use is some 40 MB. */
const MAX_JSON_BYTES = 512 * 2 ** 20;
/** The names that every tokenizer of transformers has, in its order; others in `…_token` come after them. */
const NAMED_TOKENS: readonly string[] = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
];

/** What the files beside tokenizer.json say; an absent file says nothing. */
export interface TokenizerConfig {
  /** `bos_token` → its text, and so on, as chat templates name them. */
  readonly specialTokens: Readonly<Record<string, string>>;
  /** The same tokens as they were written: texts, or objects with flags. */
  readonly namedTokens: readonly unknown[];
  /** Further special tokens, without a name. */
  readonly extraTokens: readonly unknown[];
  /** `added_tokens_decoder`: id → token with flags. Undefined in folders of before transformers 4.34. */
  readonly addedTokensDecoder: Json | undefined;
  /** added_tokens.json, text → id; transformers reads it where there is no `added_tokens_decoder`, and so is it here. */
  readonly addedTokensFile: Json;
  /** Texts of that file that are special. */
  readonly specialInFile: ReadonlySet<string>;
  readonly cleanUpTokenizationSpaces: boolean;
  /** The setting that makes transformers clean up behind BPE as well. */
  readonly cleanUpBpe: boolean;
  readonly splitSpecialTokens: boolean;
  /** tokenizer_config.json as it is. */
  readonly raw: Json;
  /** A template's text, or a list of named ones; unchecked. */
  readonly chatTemplate: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads tokenizer_config.json of a model folder and, where that has no `added_tokens_decoder`, the older special_tokens_map.json,
 * which then wins, and added_tokens.json: transformers' rule. Throws FormatError where a file is there and is not a JSON object.
 */
export async function readTokenizerConfig(dir: string): Promise<TokenizerConfig> {
  const raw = (await readJsonObject(join(dir, "tokenizer_config.json"))) ?? {};
  const decoder = raw["added_tokens_decoder"];
  const isOlder = !isRecord(decoder);
  const map = isOlder ? ((await readJsonObject(join(dir, "special_tokens_map.json"))) ?? {}) : {};
  const added = isOlder ? ((await readJsonObject(join(dir, "added_tokens.json"))) ?? {}) : {};
  const extra = readExtraTokens(raw, map);
  const named = readNamedTokens({ ...raw, ...map }, extra.byName);
  // transformers compares texts before it reads the objects of tokenizer_config.json, but after it has read the map's.
  const standard = named.filter(
    ([key, value]) => NAMED_TOKENS.includes(key) && (key in map || typeof value === "string"),
  );
  return {
    specialTokens: Object.fromEntries(named.map(([key, value]) => [key, tokenText(value) ?? ""])),
    namedTokens: named.map(([, value]) => value),
    extraTokens: extra.listed,
    addedTokensDecoder: isOlder ? undefined : decoder,
    addedTokensFile: added,
    specialInFile: new Set(
      [...standard.map(([, value]) => value), ...extra.early].map(
        (value) => tokenText(value) ?? "",
      ),
    ),
    cleanUpTokenizationSpaces: raw["clean_up_tokenization_spaces"] === true,
    cleanUpBpe:
      raw["clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output"] === true,
    splitSpecialTokens: raw["split_special_tokens"] === true,
    raw,
    chatTemplate: raw["chat_template"],
  };
}

/** The tokens with names, in transformers' order. */
function readNamedTokens(config: Json, more: Json): (readonly [string, unknown])[] {
  const isName = (key: string): boolean =>
    /^(?!add_)\w+_token$/.test(key) || Object.hasOwn(more, key);
  const place = (key: string): number =>
    NAMED_TOKENS.includes(key) ? NAMED_TOKENS.indexOf(key) : NAMED_TOKENS.length;
  return Object.entries({ ...config, ...more })
    .filter(([key, value]) => isName(key) && tokenText(value) !== undefined)
    .toSorted(([a], [b]) => place(a) - place(b));
}

/**
 * Special tokens without a name of the standard ones: `extra_special_tokens` (a list, or a table of names), in older files
 * `additional_special_tokens`, which counts where the former is empty. `early`: those that transformers knows of already when it
 * reads added_tokens.json.
 */
function readExtraTokens(
  raw: Json,
  map: Json,
): {
  readonly listed: readonly unknown[];
  readonly early: readonly unknown[];
  readonly byName: Json;
} {
  const [extra, older] = [raw["extra_special_tokens"], raw["additional_special_tokens"]];
  const own = isRecord(extra) || listOf(extra).length > 0 ? extra : older;
  const byName = [own, map["extra_special_tokens"]].filter(isRecord);
  const mapped = listOf(map["extra_special_tokens"]).map((token) =>
    isRecord(token) ? { ...token, special: true } : token,
  );
  const listed = [...listOf(own), ...mapped];
  const isKnown = Array.isArray(extra) || Array.isArray(own) || listed.length > 0;
  return {
    listed: isKnown ? listed : listOf(map["additional_special_tokens"]),
    early: [...listOf(own).filter((token) => typeof token === "string"), ...mapped],
    byName: Object.assign({}, ...byName) as Json, // of objects
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The JSON object in a file, or undefined where there is no such file. Throws FormatError on anything but an object. */
export async function readJsonObject(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readTextFile(path);
  return text === undefined ? undefined : parseJsonObject(text, path);
}

/** A text as a JSON object. Throws FormatError naming `path` on anything else. */
export function parseJsonObject(text: string, path: string): Record<string, unknown> {
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

/** Tokens are written as plain texts or as objects with their flags. */
export function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = isRecord(value) ? value["content"] : undefined;
  return typeof content === "string" ? content : undefined;
}
