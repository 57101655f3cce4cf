import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Puts a tokenizer of `size` words, `w0` to `w<size − 1>`, and a chat template beside a checkpoint whose own tokenizer does not matter:
 * an engine wants one that fits the embeddings, while the token ids of the test come from a golden file.
 */
export async function writePlainTokenizer(dir: string, size: number): Promise<void> {
  const vocab = Object.fromEntries(Array.from({ length: size }, (_, id) => [`w${id}`, id]));
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: null,
    decoder: null,
    model: { type: "WordLevel", vocab, unk_token: "w0" },
  };
  await writeFile(join(dir, "tokenizer.json"), JSON.stringify(tokenizer));
  const template = "{% for m in messages %}{{ m.content }} {% endfor %}";
  const config = { chat_template: template, eos_token: "w1" };
  await writeFile(join(dir, "tokenizer_config.json"), JSON.stringify(config));
}
