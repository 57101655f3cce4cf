/**
 * @file Fits a tokenizer.json to the library that runs it. The library leaves some settings unread or reads them a little
 * differently from Hugging Face's own tokenizers; here each of those is either rewritten into settings that it reads right, or
 * refused by name. Nothing that would change the ids passes unseen.
 */
import { FormatError, UnsupportedError } from "../util/errors.ts";
import { isRecord, type TokenizerConfig } from "./tokenizer-config.ts";

type Json = Record<string, unknown>;

/** Ids index arrays; the largest vocabularies in use have some 260,000. */
const MAX_ID = 2 ** 24;
/** What GPT-2's byte-level rule splits a text into. */
const BYTE_LEVEL_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const NORMALIZERS = ["Sequence", "Prepend", "Replace", "NFC", "NFD", "NFKC", "NFKD", "Lowercase"];
const POST_PROCESSORS = ["TemplateProcessing", "ByteLevel", "Sequence"];

/** A tokenizer.json ready for the library. */
export interface FittedTokenizer {
  readonly json: Json;
  /** The highest id plus one, added tokens included. */
  readonly vocabSize: number;
}

/**
 * The tokenizer.json that gives the right ids in the library, from the one in the folder and its configuration: tokens that only
 * the configuration declares are added. Its `add_bos_token` and `add_eos_token` are not heeded, as transformers does not either
 * beside a tokenizer.json: the post-processor says what goes around a text. Throws UnsupportedError for settings that would be ignored, FormatError where the file is not a tokenizer.
 */
export function fitTokenizerJson(
  json: Json,
  config: TokenizerConfig,
  path: string,
): FittedTokenizer {
  const model = json["model"];
  if (!isRecord(model) || !isRecord(model["vocab"])) {
    throw unsupportedUnlessTokenizer(model, path);
  }
  checkModel(model, path);
  checkKinds(json["normalizer"], "normalizers", NORMALIZERS, `${path}: normalizer`);
  checkKinds(json["post_processor"], "processors", POST_PROCESSORS, `${path}: post_processor`);
  const addedTokens = mergeAddedTokens(json["added_tokens"], model["vocab"], config, path);
  const ids = [...Object.values(model["vocab"]), ...addedTokens.map((token) => token["id"])];
  const fitted = {
    ...json,
    normalizer: json["normalizer"] ?? null,
    decoder: json["decoder"] ?? null,
    added_tokens: addedTokens,
    pre_tokenizer: fitPreTokenizer(json["pre_tokenizer"] ?? null, `${path}: pre_tokenizer`),
    post_processor: json["post_processor"] ?? null,
  };
  return { json: fitted, vocabSize: checkedVocabSize(ids, path) };
}

/** Before anything is allocated by id. */
function checkedVocabSize(ids: readonly unknown[], path: string): number {
  let highest = -1;
  for (const id of ids) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > MAX_ID) {
      throw new FormatError(
        `${path}: expected token ids from 0 to ${MAX_ID}, got ${JSON.stringify(id)}`,
      );
    }
    highest = Math.max(highest, id);
  }
  if (highest < 0) throw new FormatError(`${path}: the vocabulary is empty`);
  return highest + 1;
}

function unsupportedUnlessTokenizer(model: unknown, path: string): Error {
  const kind = isRecord(model) ? model["type"] : undefined;
  if (kind === "Unigram") return unsupported(path, "a Unigram model", "BPE");
  return new FormatError(`${path}: expected a tokenizer with model.vocab`, {
    hint: "Download the file again.",
  });
}

function checkModel(model: Json, path: string): void {
  const kind = model["type"] ?? ("merges" in model ? "BPE" : undefined);
  if (kind !== "BPE") throw unsupported(path, `model type ${JSON.stringify(kind)}`, "BPE");
  if (!Array.isArray(model["merges"])) throw new FormatError(`${path}: expected model.merges`);
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    const value = model[key] ?? "";
    if (value !== "") throw unsupported(path, `model.${key} ${JSON.stringify(value)}`, "none");
  }
  const dropout = model["dropout"] ?? 0;
  if (dropout !== 0) throw unsupported(path, "model.dropout, which makes ids random", "none");
}

function checkKinds(node: unknown, listKey: string, known: readonly string[], where: string): void {
  if (node === null || node === undefined) return;
  const kind = isRecord(node) ? node["type"] : undefined;
  if (!isRecord(node) || typeof kind !== "string" || !known.includes(kind)) {
    throw unsupported(where, JSON.stringify(kind), known.join(", "));
  }
  const members = node[listKey];
  if (kind === "Sequence" && Array.isArray(members)) {
    for (const member of members) checkKinds(member, listKey, known, where);
  }
}

function mergeAddedTokens(
  listed: unknown,
  vocab: Json,
  config: TokenizerConfig,
  path: string,
): readonly Json[] {
  const tokens: Json[] = (Array.isArray(listed) ? listed : []).filter(isRecord);
  const contents = new Set(tokens.map((token) => token["content"]));
  for (const declared of config.declaredTokens) {
    const id = Object.hasOwn(vocab, declared.content) ? vocab[declared.content] : declared.id;
    if (contents.has(declared.content) || id === undefined) continue;
    contents.add(declared.content);
    tokens.push({
      id,
      content: declared.content,
      lstrip: declared.lstrip,
      rstrip: declared.rstrip,
      single_word: declared.singleWord,
      normalized: declared.normalized,
      special: declared.special,
    });
  }
  const whole = tokens.find((token) => token["single_word"] === true);
  if (whole !== undefined) {
    const name = JSON.stringify(whole["content"]);
    throw unsupported(path, `added token ${name} with single_word`, "none");
  }
  return tokens;
}

function fitPreTokenizer(node: unknown, where: string): Json | null {
  if (node === null) return null;
  if (!isRecord(node)) throw new FormatError(`${where}: expected an object`);
  const kind = node["type"];
  switch (kind) {
    case "Sequence": {
      const members = Array.isArray(node["pretokenizers"]) ? node["pretokenizers"] : [];
      return sequence(...members.map((member: unknown) => fitPreTokenizer(member, where)));
    }
    case "ByteLevel":
      // The library's own pattern knows other white space than the Rust one (U+0085, U+FEFF); a Split is translated rightly.
      return node["use_regex"] === false || node["add_prefix_space"] === true
        ? node
        : sequence(isolate(BYTE_LEVEL_PATTERN), { ...node, use_regex: false });
    case "Digits":
      // The library takes ASCII digits only.
      return isolate(node["individual_digits"] === true ? "\\p{N}" : "\\p{N}+");
    case "Metaspace":
      return fitMetaspace(node);
    case "Split":
      return fitSplit(node, where);
    default:
      throw unsupported(
        where,
        JSON.stringify(kind),
        "Sequence, ByteLevel, Digits, Metaspace, Split",
      );
  }
}

/** The library never splits at the replacement character and does not know the older `add_prefix_space`. */
function fitMetaspace(node: Json): Json {
  const never = node["add_prefix_space"] === false && node["prepend_scheme"] === undefined;
  const whole = { ...node, ...(never ? { prepend_scheme: "never" } : {}) };
  if (node["split"] === false) return whole;
  const mark = escapeRegex(typeof node["replacement"] === "string" ? node["replacement"] : "▁");
  // Each mark begins a piece: "a▁▁b" is a, ▁, ▁b.
  return sequence(whole, isolate(`${mark}[^${mark}]*`));
}

function fitSplit(node: Json, where: string): Json {
  const pattern = node["pattern"];
  const behavior = String(node["behavior"]).toLowerCase();
  if (!isRecord(pattern)) throw new FormatError(`${where}: Split without a pattern`);
  const regex =
    typeof pattern["Regex"] === "string"
      ? pattern["Regex"]
      : escapeRegex(typeof pattern["String"] === "string" ? pattern["String"] : "");
  // Pieces between matches are kept either way, so `invert` changes nothing here; the library would drop them.
  if (behavior === "isolated") return isolate(regex);
  if (behavior === "removed" && node["invert"] === true) return node;
  throw unsupported(
    where,
    `Split with behavior ${behavior}, invert ${String(node["invert"])}`,
    "isolated, or removed with invert",
  );
}

function sequence(...members: readonly (Json | null)[]): Json {
  return { type: "Sequence", pretokenizers: members.filter((member) => member !== null) };
}

function isolate(regex: string): Json {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (character) => `\\${character}`);
}

function unsupported(where: string, got: string, expected: string): UnsupportedError {
  return new UnsupportedError(`${where}: expected ${expected}, got ${got}`, {
    hint: "This tokenizer needs a rule that is not built in; the ids would be wrong without it.",
  });
}
