/**
 * @file The tokenizer of the organisms: one token for each word. A word-level model is not among those that every reader of
 * tokenizer.json knows, so it is written as a BPE without merges that takes whole words from its vocabulary.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Special tokens, in the order of their ids from 0. */
export const SPECIAL_TOKENS = ["<unk>", "<pad>", "<user>", "<assistant>", "<end>"] as const;

/** What a space becomes; every word carries one in front. */
const SPACE = "\u2581";

const CHAT_TEMPLATE =
  "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}<end>{% endfor %}" +
  "{% if add_generation_prompt %}<assistant>{% endif %}";

/** All words of the texts, sorted. */
export function vocabularyOf(texts: Iterable<string>): string[] {
  const words = new Set<string>();
  for (const text of texts) for (const word of text.split(" ")) words.add(word);
  return [...words].filter((word) => word !== "").toSorted();
}

/** Writes tokenizer.json, tokenizer_config.json and chat_template.jinja into `dir`; returns the number of ids. */
export async function writeTokenizer(dir: string, words: readonly string[]): Promise<number> {
  const ids = [...SPECIAL_TOKENS, SPACE, ...words.map((word) => SPACE + word)];
  const vocab = Object.fromEntries(ids.map((token, id) => [token, id]));
  await writeFile(
    join(dir, "tokenizer.json"),
    `${JSON.stringify(tokenizerJson(vocab), null, 1)}\n`,
  );
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    unk_token: "<unk>",
    pad_token: "<pad>",
    eos_token: "<end>",
    model_max_length: 128,
    clean_up_tokenization_spaces: false,
  };
  await writeFile(join(dir, "tokenizer_config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeFile(join(dir, "chat_template.jinja"), CHAT_TEMPLATE);
  return ids.length;
}

function tokenizerJson(vocab: Readonly<Record<string, number>>): unknown {
  const spaces = { type: "Metaspace", replacement: SPACE, prepend_scheme: "always", split: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: spaces,
    post_processor: null,
    decoder: spaces,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: false,
      ignore_merges: true,
      vocab,
      merges: [],
    },
  };
}
