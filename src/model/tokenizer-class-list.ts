import { isRecord } from "./tokenizer-config.ts";

type Json = Readonly<Record<string, unknown>>;

/** A tokenizer.json whose pipeline is the one that a class of transformers 5 builds. */
export type Rebuild = Json;

const QWEN_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/**
 * The classes of transformers 5.24 that our families' checkpoints name and that build their own pipeline around the vocabulary of
 * tokenizer.json: what they make of the file, given tokenizer_config.json. They keep its post-processor, but for GPT-NeoX.
 */
export const REBUILT_CLASSES: Readonly<Record<string, (json: Json, config: Json) => Rebuild>> = {
  LlamaTokenizer: (json, config) => {
    const begins = config["add_prefix_space"] !== false;
    const scheme = config["legacy"] === true ? "always" : "first";
    return rebuild(json, {
      model: { fuse_unk: true, byte_fallback: true },
      pre_tokenizer: {
        type: "Metaspace",
        replacement: "▁",
        prepend_scheme: begins ? scheme : "never",
        split: false,
      },
    });
  },
  GemmaTokenizer: (json, config) =>
    rebuild(json, {
      model: { fuse_unk: true, byte_fallback: true, unk_token: config["unk_token"] ?? "<unk>" },
      normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
      pre_tokenizer: {
        type: "Split",
        pattern: { String: " " },
        behavior: "MergedWithPrevious",
        invert: false,
      },
    }),
  Qwen2Tokenizer: (json, config) =>
    rebuild(json, {
      normalizer: { type: "NFC" },
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          {
            type: "Split",
            pattern: { Regex: QWEN_PATTERN },
            behavior: "Isolated",
            invert: false,
          },
          byteLevel(config, false),
        ],
      },
    }),
  GPT2Tokenizer: (json, config) => rebuild(json, { pre_tokenizer: byteLevel(config, true) }),
  GPTNeoXTokenizer: (json, config) =>
    rebuild(json, {
      normalizer: { type: "NFC" },
      pre_tokenizer: byteLevel(config, true),
      post_processor: null,
    }),
};

/** Names under which transformers 5.24 has one of these classes. */
export const CLASS_ALIASES: Readonly<Record<string, string>> = {
  BartTokenizer: "RobertaTokenizer",
  LEDTokenizer: "RobertaTokenizer",
  LxmertTokenizer: "BertTokenizer",
  MobileBertTokenizer: "BertTokenizer",
  MvpTokenizer: "RobertaTokenizer",
  Phi3Tokenizer: "LlamaTokenizer",
  SqueezeBertTokenizer: "BertTokenizer",
};

/** Further classes of transformers 5.24 with a pipeline of their own, which is not copied here. */
export const OTHER_REBUILT_CLASSES: ReadonlySet<string> = new Set(
  (
    "Albert Barthez Bert BigBird Blenderbot CLIP Camembert CodeGen CodeLlama Cohere Deberta DebertaV2 Esmc Funnel Herbert Lasr " +
    "LayoutLMv2 LayoutLMv3 LayoutXLM Luke MBart50 MBart MLuke MPNet MarkupLM Nllb Nougat OpenAIGPT Pegasus Qwen3_5 Reformer " +
    "RemBert Roberta SeamlessM4T Siglip2 Splinter T5 Tipsv2 Udop VideoPrism Whisper XGLM XLMRoberta XLNet"
  )
    .split(" ")
    .map((name) => `${name}Tokenizer`),
);

function byteLevel(config: Json, useRegex: boolean): Json {
  const begins = config["add_prefix_space"] === true;
  return { type: "ByteLevel", add_prefix_space: begins, trim_offsets: true, use_regex: useRegex };
}

function rebuild(
  json: Json,
  parts: {
    readonly model?: Json;
    readonly normalizer?: Json;
    readonly pre_tokenizer: Json;
    readonly post_processor?: null;
  },
): Rebuild {
  const { vocab, merges } = isRecord(json["model"]) ? json["model"] : {};
  const model = {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab,
    merges,
    ...parts.model,
  };
  return { ...json, normalizer: null, ...parts, model };
}
