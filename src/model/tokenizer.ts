import { join } from "node:path";

import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { type AddedToken, type AddedTokens, findAddedTokens } from "./tokenizer-added-tokens.ts";
import { describeClassChange } from "./tokenizer-class.ts";
import { cleanUpSpaces } from "./tokenizer-clean-up.ts";
import {
  type TokenizerConfig,
  isRecord,
  parseJsonObject,
  readTextFile,
  readTokenizerConfig,
  tokenText,
} from "./tokenizer-config.ts";
import { type Vocabulary, checkTokenizerJson, checkedId } from "./tokenizer-json.ts";
import { type NativeTokenizer, TokenizersError, openNativeTokenizer } from "./tokenizer-thread.ts";

export interface EncodeOptions {
  readonly addSpecialTokens?: boolean | undefined;
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean | undefined;
  readonly skipUnknown?: boolean | undefined;
}

/** Text to token ids and back, as the checkpoint's own tokenizer.json says. */
export interface TextTokenizer {
  /**
   * The ids of a text; none for the empty text. Added tokens inside the text (`<|im_end|>`) become their ids. Half a surrogate pair
   * is read as U+FFFD. A piece that has neither an id nor an unknown token is left out, as the library does. `addSpecialTokens`
   * (default false) puts the tokenizer's begin and end tokens around it.
   */
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** The same of many texts at once, which is several times as fast with short ones. */
  encodeBatch(texts: readonly string[], options?: EncodeOptions): readonly Int32Array[];
  /**
   * The text of ids; `skipSpecialTokens` (default false) leaves special tokens out. Throws ConfigError on an id that is not in use,
   * unless `skipUnknown` (default false) leaves those out too.
   */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** The same of many lists of ids at once. */
  decodeBatch(lists: readonly Iterable<number>[], options?: DecodeOptions): readonly string[];
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly padId: number | undefined;
  /** The highest id plus one, added tokens included; the model's embedding may be larger. */
  readonly vocabSize: number;
  /** The same without added tokens. */
  readonly baseVocabSize: number;
  /** What is odd about the files and does not stop their use. */
  readonly warnings: readonly string[];
  /** SHA-256 over tokenizer.json and the settings beside it that change ids. */
  readonly hash: string;
}

/**
 * Reads the tokenizer of a model folder. tokenizer.json decides how text becomes ids, whatever class the configuration names, and
 * the files beside it which tokens are added. Throws ConfigError where there is no tokenizer.json, FormatError where the files are
 * broken or contradict each other, UnsupportedError where they need a rule that is not kept here.
 */
export async function loadTokenizer(dir: string): Promise<TextTokenizer> {
  const path = join(dir, "tokenizer.json");
  const text = await readTextFile(path);
  if (text === undefined) throw noTokenizer(path);
  const json = parseJsonObject(text, path);
  const config = await readTokenizerConfig(dir);
  const vocabulary = checkTokenizerJson(json, path);
  if (config.splitSpecialTokens) throw splitsSpecialTokens(dir);
  const added = findAddedTokens(json["added_tokens"], vocabulary, config, dir);
  const native = await buildTokenizer(text, added.tokens, path);
  const inUse = idsInUse(native, vocabulary, added, path);
  const cleansUp =
    config.cleanUpTokenizationSpaces && (vocabulary.kind !== "BPE" || config.cleanUpBpe);
  return {
    ...textMethods(native, { inUse, cleansUp, path }),
    ...namedIds(native, config, json),
    vocabSize: inUse.length,
    baseVocabSize: highest(vocabulary.ids) + 1,
    warnings: await describeClassChange(dir, { json, config, native, added: added.tokens }),
    hash: hashValue({ tokenizer: await hashFile(path), config: hashedConfig(config, added) }),
  };
}

function textMethods(
  native: NativeTokenizer,
  { inUse, cleansUp, path }: { inUse: Uint8Array; cleansUp: boolean; path: string },
): Pick<TextTokenizer, "encode" | "encodeBatch" | "decode" | "decodeBatch"> {
  const encodeBatch: TextTokenizer["encodeBatch"] = (texts, { addSpecialTokens = false } = {}) =>
    native.encode(texts.map(wellFormed), addSpecialTokens);
  const decodeBatch: TextTokenizer["decodeBatch"] = (lists, options = {}) => {
    const used = lists.map((ids) => usedIds(ids, inUse, path, options.skipUnknown ?? false));
    const decoded = native.decode(used, options.skipSpecialTokens ?? false);
    return cleansUp ? decoded.map(cleanUpSpaces) : decoded;
  };
  return {
    encode: (text, options) => encodeBatch([text], options)[0]!, // as many as texts
    encodeBatch,
    decode: (ids, options) => decodeBatch([ids], options)[0]!, // as many as lists
    decodeBatch,
  };
}

function usedIds(
  ids: Iterable<number>,
  inUse: Uint8Array,
  path: string,
  skipUnknown: boolean,
): number[] {
  const list = [...ids];
  const known = list.filter((id) => inUse[id] === 1);
  if (skipUnknown || known.length === list.length) return known;
  const unknown = list.find((id) => inUse[id] !== 1);
  throw new ConfigError(
    `${path}: expected token ids below ${inUse.length} that are in use, got ${unknown}`,
  );
}

function namedIds(
  native: NativeTokenizer,
  { specialTokens }: TokenizerConfig,
  { padding }: Readonly<Record<string, unknown>>,
): Pick<TextTokenizer, "bosId" | "eosId" | "padId"> {
  const padToken = isRecord(padding) ? tokenText(padding["pad_token"]) : undefined;
  const { bos_token: bos, eos_token: eos, pad_token: pad = padToken } = specialTokens;
  const [bosId, eosId, padId] = [bos, eos, pad].map((token) => {
    const [id] = token === undefined ? [] : native.idsOf([token]);
    return id === -1 ? undefined : id;
  });
  return { bosId, eosId, padId };
}

/**
 * 1 at each id that is a token. The library gives ids to added tokens that the vocabulary lacks in their order, whatever the files
 * say; where that is another id than the file's, the model was trained with one of the two and nobody can tell which.
 */
function idsInUse(
  native: NativeTokenizer,
  { ids }: Vocabulary,
  { tokens, ids: declared }: AddedTokens,
  path: string,
): Uint8Array {
  const texts = [...new Set([...declared.keys(), ...tokens.map(({ content }) => content)])];
  const given = native.idsOf(texts);
  for (const [index, text] of texts.entries()) {
    const want = declared.get(text);
    if (want === undefined || want === given[index] || text === "") continue;
    throw new FormatError(
      `${path}: added token ${JSON.stringify(text)} has id ${checkedId(want, path)} in the files, the tokenizers library gives it ${given[index]}`,
      { hint: "Ids of added tokens must follow the vocabulary without a gap, each named once." },
    );
  }
  const all = [...ids, ...given.filter((id) => id >= 0)];
  const inUse = new Uint8Array(highest(all) + 1);
  for (const id of all) inUse[id] = 1;
  return inUse;
}

function highest(ids: readonly number[]): number {
  return ids.reduce((most, id) => Math.max(most, id), -1);
}

/** Half surrogate pairs have no UTF-8; encoding turns them into U+FFFD, and here all later rules see just that. */
function wellFormed(text: string): string {
  return /\p{Surrogate}/u.test(text) ? Buffer.from(text, "utf8").toString("utf8") : text;
}

function hashedConfig(config: TokenizerConfig, { tokens }: AddedTokens): unknown {
  const { specialTokens, cleanUpTokenizationSpaces, cleanUpBpe } = config;
  return { specialTokens, tokens, cleanUpTokenizationSpaces, cleanUpBpe };
}

function noTokenizer(path: string): ConfigError {
  return new ConfigError(`${path}: expected the checkpoint's tokenizer, there is no such file`, {
    hint:
      "Copy tokenizer.json into the folder; where the model has only tokenizer.model or vocab.json, " +
      "load it once with transformers' AutoTokenizer and save_pretrained it there.",
  });
}

function splitsSpecialTokens(dir: string): UnsupportedError {
  return new UnsupportedError(
    `${join(dir, "tokenizer_config.json")}: "split_special_tokens": expected false, got true`,
    {
      hint: "It reads special tokens in a text as letters, the template's own too. Take it out to read them as tokens.",
    },
  );
}

async function buildTokenizer(
  json: string,
  added: readonly AddedToken[],
  path: string,
): Promise<NativeTokenizer> {
  try {
    return await openNativeTokenizer(json, added);
  } catch (error) {
    if (!(error instanceof TokenizersError)) throw error;
    throw new FormatError(`${path}: not a tokenizer that can be built (${error.message})`, {
      hint: "Download the file again.",
      cause: error,
    });
  }
}
