/**
 * @file The parts that a tokenizer.json may have, with the keys that the tokenizers library needs in each. All are in the tokenizer
 * suite (test/golden/tokenizer/make_suite.py). Checked here because the library ends the whole process at some that it cannot read.
 */
import { isUtf8 } from "node:buffer";

import { z } from "zod";

const nothing = z.looseObject({});
const flag = z.boolean();
const text = z.string();
const character = z.string().regex(/^[^]$/u, "expected one character");
const size = z.int().min(0);
const pattern = z.union([z.strictObject({ String: text }), z.strictObject({ Regex: text })]);
const behavior = z.enum([
  "Removed",
  "Isolated",
  "MergedWithPrevious",
  "MergedWithNext",
  "Contiguous",
]);
const idPair = z.tuple([text, size]);
const piece = z.union([
  z.strictObject({ SpecialToken: z.looseObject({ id: text, type_id: size }) }),
  z.strictObject({ Sequence: z.looseObject({ id: z.enum(["A", "B"]), type_id: size }) }),
]);
const byteLevel = z.looseObject({
  add_prefix_space: flag,
  trim_offsets: flag,
  use_regex: flag.optional(),
});
const metaspace = z
  .looseObject({
    replacement: character,
    add_prefix_space: flag.optional(),
    prepend_scheme: z.enum(["always", "first", "never"]).optional(),
    split: flag.optional(),
  })
  .refine(
    ({ add_prefix_space: begins, prepend_scheme: scheme }) =>
      begins !== false || scheme === undefined || scheme === "never",
    "add_prefix_space and prepend_scheme contradict each other",
  );

/** Kind of part → what it must hold, by the place in tokenizer.json. `Sequence` holds further parts of its place. */
export const TOKENIZER_PARTS = {
  normalizer: {
    Sequence: z.looseObject({ normalizers: z.array(z.unknown()) }),
    BertNormalizer: z.looseObject({
      clean_text: flag,
      handle_chinese_chars: flag,
      strip_accents: flag.nullish(),
      lowercase: flag,
    }),
    ByteLevel: nothing,
    Lowercase: nothing,
    NFC: nothing,
    NFD: nothing,
    NFKC: nothing,
    NFKD: nothing,
    Nmt: nothing,
    Precompiled: z.looseObject({
      precompiled_charsmap: z.base64().refine(isCharsmap, "not a table of SentencePiece"),
    }),
    Prepend: z.looseObject({ prepend: text }),
    Replace: z.looseObject({ pattern, content: text }),
    Strip: z.looseObject({ strip_left: flag, strip_right: flag }),
    StripAccents: nothing,
  },
  pre_tokenizer: {
    Sequence: z.looseObject({ pretokenizers: z.array(z.unknown()) }),
    BertPreTokenizer: nothing,
    ByteLevel: byteLevel,
    CharDelimiterSplit: z.looseObject({ delimiter: character }),
    Digits: z.looseObject({ individual_digits: flag }),
    FixedLength: z.looseObject({ length: size.min(1).optional() }),
    Metaspace: metaspace,
    Punctuation: z.looseObject({ behavior: behavior.optional() }),
    Split: z.looseObject({ pattern, behavior, invert: flag }),
    UnicodeScripts: nothing,
    Whitespace: nothing,
    WhitespaceSplit: nothing,
  },
  post_processor: {
    Sequence: z.looseObject({ processors: z.array(z.unknown()) }),
    BertProcessing: z.looseObject({ sep: idPair, cls: idPair }),
    ByteLevel: byteLevel,
    RobertaProcessing: z.looseObject({
      sep: idPair,
      cls: idPair,
      trim_offsets: flag.optional(),
      add_prefix_space: flag.optional(),
    }),
    TemplateProcessing: z
      .looseObject({
        single: z.array(piece),
        pair: z.array(piece),
        special_tokens: z.record(
          text,
          z.looseObject({ id: text, ids: z.array(size), tokens: z.array(text) }),
        ),
      })
      .refine(
        ({ single, pair, special_tokens: known }) =>
          [...single, ...pair].every(
            (part) => !("SpecialToken" in part) || Object.hasOwn(known, part.SpecialToken.id),
          ),
        "a token of the template is not among its special_tokens",
      ),
  },
  decoder: {
    Sequence: z.looseObject({ decoders: z.array(z.unknown()) }),
    BPEDecoder: z.looseObject({ suffix: text }),
    ByteFallback: nothing,
    ByteLevel: byteLevel,
    CTC: z.looseObject({ pad_token: text, word_delimiter_token: text, cleanup: flag }),
    Fuse: nothing,
    Metaspace: metaspace,
    Replace: z.looseObject({ pattern, content: text }),
    Strip: z.looseObject({ content: character, start: size, stop: size }),
    WordPiece: z.looseObject({ prefix: text, cleanup: flag }),
  },
  model: {
    BPE: z
      .looseObject({
        vocab: z.record(text, z.unknown()),
        merges: z.array(z.union([text, z.tuple([text, text])])),
        dropout: z.literal(0).nullish(),
        unk_token: text.nullish(),
        continuing_subword_prefix: text.nullish(),
        end_of_word_suffix: text.nullish(),
        fuse_unk: flag.optional(),
        byte_fallback: flag.optional(),
        ignore_merges: flag.optional(),
      })
      .refine(
        ({ merges, continuing_subword_prefix: prefix }) =>
          (prefix ?? "") === "" ||
          merges.every((merge) => secondOf(merge).startsWith(prefix ?? "")),
        "a merge goes on without continuing_subword_prefix",
      ),
    Unigram: z.looseObject({
      vocab: z.array(z.tuple([text, z.number()])),
      unk_id: size.nullish(),
      byte_fallback: flag.optional(),
    }),
    WordLevel: z.looseObject({ vocab: z.record(text, z.unknown()), unk_token: text }),
    WordPiece: z.looseObject({
      vocab: z.record(text, z.unknown()),
      unk_token: text,
      continuing_subword_prefix: text,
      max_input_chars_per_word: size,
    }),
  },
} as const;

/** Where in a tokenizer.json a part stands. */
export type PartPlace = keyof typeof TOKENIZER_PARTS;

/** A length, a table of that many bytes, and texts. */
function isCharsmap(base64: string): boolean {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length < 4) return false;
  const tableBytes = bytes.readUInt32LE(0);
  return (
    tableBytes > 0 &&
    tableBytes % 4 === 0 &&
    tableBytes + 4 <= bytes.length &&
    isUtf8(bytes.subarray(tableBytes + 4))
  );
}

/** Older files write a merge as one text. */
function secondOf(merge: string | readonly [string, string]): string {
  return typeof merge === "string" ? (merge.split(" ")[1] ?? "") : merge[1];
}
