import { UnsupportedError } from "../util/errors.ts";

/**
 * Writes a checkpoint of random weights: matrices and embeddings normal with the config's `initializer_range` (default 0.02), norms 1,
 * biases 0, as transformers does. `config` is the content of config.json, `tokenizerDir` a folder whose tokenizer and chat
 * template are copied. The same seed gives the same bytes. Throws ConfigError or UnsupportedError naming the key.
 */
export async function initCheckpoint(
  _config: Readonly<Record<string, unknown>>,
  _tokenizerDir: string,
  _seed: number,
  _outDir: string,
): Promise<void> {
  throw new UnsupportedError("train: not there yet");
}
