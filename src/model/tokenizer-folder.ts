import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { UnsupportedError } from "../util/errors.ts";

/** Without it there is no tokenizer to render for. */
const TOKENIZER = "tokenizer.json";
/** What changes how a conversation becomes tokens. */
const OTHERS = [
  "tokenizer_config.json",
  "chat_template.jinja",
  "chat_template.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "tokenizer.model",
];

/**
 * The folder that tokenizer and chat template are read from: the adapter's where it brings its own, as trainers save them with it and
 * `AutoTokenizer.from_pretrained(adapter)` takes them; otherwise the checkpoint's. Throws UnsupportedError where an adapter brings a part
 * of a tokenizer that differs from the checkpoint's.
 */
export async function tokenizerFolder(dir: string, adapter: string | undefined): Promise<string> {
  if (adapter === undefined) return dir;
  if (existsSync(join(adapter, TOKENIZER))) return adapter;
  for (const name of OTHERS) {
    const own = await contents(adapter, name);
    if (own === undefined || own.equals((await contents(dir, name)) ?? Buffer.alloc(0))) continue;
    throw new UnsupportedError(
      `${adapter}: brings a ${name} of its own and no ${TOKENIZER}, so which tokens it was trained on is unclear`,
      {
        hint: `Put the ${TOKENIZER} that it was trained with beside it, or remove ${name} to go on with the checkpoint's.`,
      },
    );
  }
  return dir;
}

async function contents(dir: string, name: string): Promise<Buffer | undefined> {
  const path = join(dir, name);
  return existsSync(path) ? readFile(path) : undefined;
}
