import type { Message, RowContext } from "../format/messages.ts";
import { ConfigError } from "../util/errors.ts";
import type { TokenizedExample } from "./engine.ts";
import type { OpenCheckpoint } from "./open-checkpoint.ts";

/** Renders and tokenises prompt and responses; see Engine.tokenize. Throws ConfigError on an id outside the vocabulary. */
export function tokenizeExample(
  checkpoint: OpenCheckpoint,
  prompt: readonly Message[],
  responses: readonly (readonly Message[])[],
  context?: RowContext,
): TokenizedExample {
  const example = checkpoint.renderer.tokenize(prompt, responses, context);
  for (const tokens of [example.prompt, ...example.responses]) {
    expectInVocabulary(checkpoint, tokens);
  }
  return example;
}

/** Tokenises a text as it is; see Engine.tokenizeText. */
export function tokenizeText(checkpoint: OpenCheckpoint, text: string): Int32Array {
  const tokens = checkpoint.renderer.tokenizeText(text);
  expectInVocabulary(checkpoint, tokens);
  return tokens;
}

function expectInVocabulary({ identity, model }: OpenCheckpoint, tokens: Int32Array): void {
  const { vocabSize } = model.config;
  const bad = tokens.find((id) => id >= vocabSize || id < 0);
  if (bad === undefined) return;
  throw new ConfigError(
    `${identity.name}: the tokenizer gives id ${bad}, the model's vocabulary has ${vocabSize}`,
    { hint: "The tokenizer files and config.json belong to different checkpoints." },
  );
}

/** The one token whose text this is. Throws ConfigError where the text is none or several. */
export function tokenId({ renderer, identity }: OpenCheckpoint, text: string): number {
  const ids = renderer.tokenizer.encode(text);
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return id;
  throw new ConfigError(
    `${identity.name}: expected one token, got ${JSON.stringify(text)}, which is ${ids.length} tokens`,
    { hint: "Name a token of the vocabulary as tokenizer.json spells it, such as <|im_end|>." },
  );
}
