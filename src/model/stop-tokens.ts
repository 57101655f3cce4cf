import { join } from "node:path";

import { FormatError } from "../util/errors.ts";
import { isSpecialToken } from "./decode-response.ts";
import { UnusableExampleError } from "./prompt-renderer-error.ts";
import type { PromptRenderer } from "./prompt-renderer.ts";
import { readJsonObject } from "./tokenizer-config.ts";

/**
 * The tokens that end a response: `eos_token_id` of generation_config.json (of config.json where that has none), the tokenizer's end
 * token, and the special token that the chat template puts behind the assistant's words. Sorted; empty where there is none.
 */
export async function readStopTokens(
  dir: string,
  renderer: PromptRenderer,
): Promise<readonly number[]> {
  const named =
    (await readEndIds(join(dir, "generation_config.json"))) ??
    (await readEndIds(join(dir, "config.json"))) ??
    [];
  const found = [...named, renderer.tokenizer.eosId, endOfTurn(renderer)];
  return [...new Set(found.filter((id) => id !== undefined))].toSorted((a, b) => a - b);
}

async function readEndIds(path: string): Promise<readonly number[] | undefined> {
  const value = (await readJsonObject(path))?.["eos_token_id"];
  if (value === undefined || value === null) return undefined;
  const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
  return ids.map((id) => {
    if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) return id;
    throw new FormatError(`${path}: "eos_token_id": expected token ids, got ${typeof id}`);
  });
}

/** The last special token of a rendered response; undefined without a template, or where it adds none. */
function endOfTurn(renderer: PromptRenderer): number | undefined {
  if (renderer.template === "raw") return undefined;
  try {
    const { responses } = renderer.tokenize(
      [{ role: "user", content: "a" }],
      [[{ role: "assistant", content: "a" }]],
    );
    return [...responses[0]!].findLast((id) => isSpecialToken(renderer.tokenizer, id)); // one response was given
  } catch (error) {
    // A template that cannot render so plain an exchange says nothing about how it ends.
    if (error instanceof UnusableExampleError) return undefined;
    throw error;
  }
}
