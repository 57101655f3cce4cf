import { join } from "node:path";

import { Tokenizer } from "@huggingface/tokenizers";

import { ConfigError, FormatError, RuntimeError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { readJsonObject, readTokenizerConfig, type TokenizerConfig } from "./tokenizer-config.ts";
import { fitTokenizerJson } from "./tokenizer-json.ts";

/** Text to token ids and back, as the checkpoint's own tokenizer.json says. */
export interface TextTokenizer {
  /**
   * The ids of a text; none for the empty text. Added tokens inside the text (`<|im_end|>`) become their ids. Half a surrogate pair
   * is read as U+FFFD. `addSpecialTokens` (default false) puts the tokenizer's begin and end tokens around it.
   */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean | undefined }): Int32Array;
  /**
   * The text of ids; `skipSpecialTokens` (default false) leaves special tokens out. Throws ConfigError on an id that is not in use,
   * unless `skipUnknown` (default false) leaves those out too.
   */
  decode(
    ids: Iterable<number>,
    options?: { readonly skipSpecialTokens?: boolean | undefined; readonly skipUnknown?: boolean },
  ): string;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly padId: number | undefined;
  /** The highest id plus one, added tokens included; the model's embedding may be larger. */
  readonly vocabSize: number;
  /** SHA-256 over tokenizer.json and the settings beside it that change ids. */
  readonly hash: string;
}

/**
 * Reads the tokenizer of a model folder. tokenizer.json alone decides how text becomes ids, whatever class the configuration
 * names. Throws ConfigError where there is no tokenizer.json, FormatError where it is broken, UnsupportedError where it needs a
 * rule that would be ignored. Memory beyond the vocabulary is bounded: the library keeps the last 10,000 words below 256 characters.
 */
export async function loadTokenizer(dir: string): Promise<TextTokenizer> {
  const path = join(dir, "tokenizer.json");
  const json = await readJsonObject(path);
  if (json === undefined) {
    throw new ConfigError(`${path}: expected the checkpoint's tokenizer, there is no such file`, {
      hint:
        "Copy tokenizer.json into the folder; where the model has only tokenizer.model or vocab.json, " +
        "load it once with transformers' AutoTokenizer and save_pretrained it there.",
    });
  }
  const config = await readTokenizerConfig(dir);
  const { json: fitted, vocabSize } = fitTokenizerJson(json, config, path);
  const library = build(fitted, path);
  const idOf = (name: string): number | undefined => {
    const text = config.specialTokens[name];
    return text === undefined ? undefined : library.token_to_id(text);
  };
  return {
    encode: (text, { addSpecialTokens = false } = {}) => {
      const { ids } = library.encode(wellFormed(text), { add_special_tokens: addSpecialTokens });
      return checkedIds(ids, vocabSize, path);
    },
    decode: (ids, { skipSpecialTokens = false, skipUnknown = false } = {}) => {
      const list = [...ids].filter((id) => !skipUnknown || library.id_to_token(id) !== undefined);
      const unknown = list.find((id) => library.id_to_token(id) === undefined);
      if (unknown !== undefined) {
        throw new ConfigError(
          `${path}: expected token ids below ${vocabSize} that are in use, got ${unknown}`,
        );
      }
      if (list.length === 0) return "";
      return library.decode(list, {
        skip_special_tokens: skipSpecialTokens,
        clean_up_tokenization_spaces: config.cleanUpTokenizationSpaces,
      });
    },
    bosId: idOf("bos_token"),
    eosId: idOf("eos_token"),
    padId: idOf("pad_token"),
    vocabSize,
    hash: hashValue({ tokenizer: await hashFile(path), config: hashedConfig(config) }),
  };
}

function build(json: Record<string, unknown>, path: string): Tokenizer {
  try {
    const library = new Tokenizer(json, {});
    keepByteOrderMarks(library.decoder);
    return library;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(`${path}: not a tokenizer that can be built (${reason})`, {
      hint: "Download the file again.",
      cause: error,
    });
  }
}

/** Its decoder of byte tokens drops U+FEFF at the start of a run of bytes; this one reads the same bytes and keeps it. */
function keepByteOrderMarks(decoder: unknown): void {
  // The library's decoders are functions with members.
  if ((typeof decoder !== "function" && typeof decoder !== "object") || decoder === null) return;
  if ("text_decoder" in decoder) {
    decoder.text_decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  }
  if ("decoders" in decoder && Array.isArray(decoder.decoders)) {
    decoder.decoders.forEach(keepByteOrderMarks);
  }
}

/** The library gives `undefined` where a piece has neither an id nor an unknown token, and Int32Array would make that 0. */
function checkedIds(ids: readonly number[], vocabSize: number, path: string): Int32Array {
  for (const id of ids) {
    if (!(id >= 0 && id < vocabSize)) {
      throw new RuntimeError(
        `${path}: a piece of the text has no id and there is no unknown token`,
      );
    }
  }
  return Int32Array.from(ids);
}

/** Half surrogate pairs have no UTF-8; encoding turns them into U+FFFD, and here all later rules see just that. */
function wellFormed(text: string): string {
  return /\p{Surrogate}/u.test(text) ? Buffer.from(text, "utf8").toString("utf8") : text;
}

function hashedConfig(config: TokenizerConfig): unknown {
  const { chatTemplate: _template, ...rest } = config;
  return rest;
}
