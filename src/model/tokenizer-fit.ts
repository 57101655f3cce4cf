import { ConfigError } from "../util/errors.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** With less than this part of the rows it is another model's tokenizer. */
const MIN_PART_OF_ROWS = 0.5;
/**
 * Rows without a token that padding explains: up to the next multiple of 128, or a part of all rows. Of published checkpoints DeepSeek
 * LLM has the most (100,015 tokens, 102,400 rows: 0.023), then Phi-2 (50,295 of 51,200: 0.018) and Pythia 12B (50,277 of 50,688: 0.008).
 */
const MAX_PADDING = 127;
const MAX_PADDING_PART = 0.025;

/**
 * Throws ConfigError where the tokenizer cannot be that of a model with `rows` rows of embeddings: its vocabulary has ids beyond
 * them, or fills less than half of them. Single added tokens beyond them pass, as many fine-tuned checkpoints name a padding token
 * there; they are an error where a text has one. Otherwise a sentence where more rows have no token than padding explains.
 */
export function checkTokenizerFits(
  { vocabSize, baseVocabSize }: Pick<TextTokenizer, "vocabSize" | "baseVocabSize">,
  rows: number,
  dir: string,
): string | undefined {
  const sizes = `${dir}: the tokenizer has ${vocabSize} tokens, config.json says "vocab_size": ${rows}`;
  if (baseVocabSize > rows || vocabSize < rows * MIN_PART_OF_ROWS) {
    throw new ConfigError(sizes, {
      hint: "The tokenizer files and config.json belong to different checkpoints.",
    });
  }
  const empty = rows - vocabSize;
  return empty <= Math.max(MAX_PADDING, rows * MAX_PADDING_PART)
    ? undefined
    : `${sizes}: ${empty} rows of the embedding have no token, more than padding explains. See that the tokenizer files are those of this checkpoint.`;
}
