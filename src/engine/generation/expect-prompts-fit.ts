import { ConfigError } from "../../util/errors.ts";

/** Throws ConfigError naming a prompt that is empty, fills the context or has ids outside the vocabulary. */
export function expectPromptsFit(
  prompts: readonly Int32Array[],
  contextLength: number,
  vocabSize: number,
): void {
  for (const [i, prompt] of prompts.entries()) {
    if (prompt.length === 0) throw new ConfigError(`prompt ${i}: expected tokens, got none`);
    if (prompt.length >= contextLength) {
      throw new ConfigError(
        `prompt ${i}: expected fewer than ${contextLength} tokens, the model's context, got ${prompt.length}`,
        { hint: "Shorten the prompt or leave it out." },
      );
    }
    const unknown = prompt.find((id) => id < 0 || id >= vocabSize);
    if (unknown !== undefined) {
      throw new ConfigError(`prompt ${i}: expected ids below ${vocabSize}, got ${unknown}`);
    }
  }
}
