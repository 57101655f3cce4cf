import type { z } from "zod";

import { FormatError, UnsupportedError } from "../util/errors.ts";
import { isRecord } from "./tokenizer-config.ts";
import { type PartPlace, TOKENIZER_PARTS } from "./tokenizer-parts.ts";

type Json = Readonly<Record<string, unknown>>;

/** Ids index arrays; the largest vocabularies in use have some 260,000. */
const MAX_ID = 2 ** 24;

/** Where a Sequence has its members; a model has none. */
const MEMBERS: Readonly<Record<PartPlace, string>> = {
  normalizer: "normalizers",
  pre_tokenizer: "pretokenizers",
  post_processor: "processors",
  decoder: "decoders",
  model: "",
};

/** The vocabulary of a tokenizer.json, without the added tokens. */
export interface Vocabulary {
  has(text: string): boolean;
  readonly ids: readonly number[];
  /** What the model is: BPE, Unigram, WordLevel or WordPiece. */
  readonly kind: string;
}

/**
 * Checks a tokenizer.json and gives its vocabulary. Throws UnsupportedError where it has a part that is not in TOKENIZER_PARTS or
 * gives random ids, FormatError where it is not a tokenizer or a part lacks a key.
 */
export function checkTokenizerJson(json: Json, path: string): Vocabulary {
  const model = json["model"];
  if (!isRecord(model)) {
    throw new FormatError(`${path}: expected a tokenizer with a model`, {
      hint: "Download the file again.",
    });
  }
  for (const place of ["normalizer", "pre_tokenizer", "post_processor", "decoder"] as const) {
    if ((json[place] ?? null) !== null) checkPart(json[place], place, `${path}: ${place}`);
  }
  if (typeof model["dropout"] === "number" && model["dropout"] !== 0) {
    throw new UnsupportedError(
      `${path}: model.dropout: expected none, got ${String(model["dropout"])}`,
      { hint: "It makes ids random. Set it to null: it is meant for training alone." },
    );
  }
  // Files of before tokenizers 0.8 do not say that they are BPE.
  const kind = model["type"] ?? ("merges" in model ? "BPE" : undefined);
  checkPart({ ...model, type: kind }, "model", `${path}: model`);
  return { ...readVocabulary(model["vocab"], path), kind: kind as string }; // checked as a part
}

function checkPart(node: unknown, place: PartPlace, where: string): void {
  const kinds: Readonly<Record<string, z.ZodType>> = TOKENIZER_PARTS[place];
  const kind = isRecord(node) ? node["type"] : undefined;
  if (!isRecord(node) || typeof kind !== "string" || !Object.hasOwn(kinds, kind)) {
    const known = Object.keys(kinds).join(", ");
    throw new UnsupportedError(`${where}: expected ${known}, got ${JSON.stringify(kind)}`, {
      hint: "The ids of such a tokenizer have not been compared with those of the tokenizers library.",
    });
  }
  const checked = kinds[kind]!.safeParse(node); // hasOwn
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const at = [kind, ...(issue?.path ?? [])].join(".");
    throw new FormatError(`${where}: ${at}: ${issue?.message ?? "not as expected"}`, {
      hint: "Download the file again.",
    });
  }
  if (place === "decoder" && kind === "Strip" && node["stop"] !== 0) {
    throw new UnsupportedError(`${where}: Strip.stop: expected 0, got ${String(node["stop"])}`, {
      hint: "With another one the tokenizers library ends the whole process on some texts.",
    });
  }
  const members = kind === "Sequence" ? node[MEMBERS[place]] : [];
  for (const member of Array.isArray(members) ? members : []) checkPart(member, place, where);
}

/** A table of text → id, or, in a Unigram model, a list of [text, score]. */
function readVocabulary(vocab: unknown, path: string): Omit<Vocabulary, "kind"> {
  const vocabulary = Array.isArray(vocab)
    ? listedVocabulary(vocab)
    : {
        has: (text: string) => isRecord(vocab) && Object.hasOwn(vocab, text),
        ids: Object.values(isRecord(vocab) ? vocab : {}).map((id) => checkedId(id, path)),
      };
  if (vocabulary.ids.length > 0) return vocabulary;
  throw new FormatError(`${path}: the vocabulary is empty`);
}

function listedVocabulary(vocab: readonly unknown[]): Omit<Vocabulary, "kind"> {
  const texts = new Set(vocab.map((entry) => (Array.isArray(entry) ? entry[0] : undefined)));
  return { has: (text) => texts.has(text), ids: [...vocab.keys()] };
}

/** Before anything is allocated by id. Throws FormatError. */
export function checkedId(id: unknown, path: string): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MAX_ID) return id;
  throw new FormatError(
    `${path}: expected token ids from 0 to ${MAX_ID}, got ${JSON.stringify(id)}`,
  );
}
