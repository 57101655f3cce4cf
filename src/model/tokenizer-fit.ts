import { ConfigError } from "../util/errors.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** Embeddings are padded to round numbers, by a few per cent; with less than this part of the rows it is another model's tokenizer. */
const MIN_PART_OF_ROWS = 0.5;

/**
 * Throws ConfigError where the tokenizer cannot be that of a model with `rows` rows of embeddings: its vocabulary has ids beyond
 * them, or fills less than half of them. Single added tokens beyond them pass, as many fine-tuned checkpoints name a padding token
 * there; they are an error where a text has one.
 */
export function expectTokenizerFits(
  { vocabSize, baseVocabSize }: TextTokenizer,
  rows: number,
  dir: string,
): void {
  if (baseVocabSize <= rows && vocabSize >= rows * MIN_PART_OF_ROWS) return;
  throw new ConfigError(
    `${dir}: the tokenizer has ${vocabSize} tokens, config.json says "vocab_size": ${rows}`,
    { hint: "The tokenizer files and config.json belong to different checkpoints." },
  );
}
