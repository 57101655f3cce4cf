import { existsSync } from "node:fs";
import { join } from "node:path";

import { initialWeights } from "../model/initial-weights.ts";
import { createRenderer } from "../model/prompt-renderer.ts";
import { readModel } from "../model/read-model.ts";
import { copyCompanions, writeModelConfig, writeWeights } from "../model/write-checkpoint.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import { makeFolder } from "../util/make-folder.ts";

/**
 * Writes a checkpoint of random weights: matrices and embeddings normal with the config's `initializer_range` (default 0.02), norms 1,
 * biases 0, as transformers does. `config` is the content of config.json, `tokenizerDir` a folder whose tokenizer and chat
 * template are copied. The same seed gives the same bytes. Throws ConfigError or UnsupportedError naming the key, ConfigError where
 * `outDir` holds a checkpoint.
 */
export async function initCheckpoint(
  config: Readonly<Record<string, unknown>>,
  tokenizerDir: string,
  seed: number,
  outDir: string,
): Promise<void> {
  if (existsSync(join(outDir, "model.safetensors"))) {
    throw new ConfigError(`${outDir}: holds a checkpoint already`, {
      hint: "Choose another folder, or remove that one.",
    });
  }
  await makeFolder(outDir);
  await copyCompanions({ tokenizerDir, modelDir: tokenizerDir }, outDir);
  await writeFileAtomic(join(outDir, "config.json"), JSON.stringify(config));
  await writeModelConfig(outDir, outDir, "F32");
  const model = await readModel(outDir);
  const { tokenizer } = await createRenderer(outDir, { template: "raw" });
  if (tokenizer.vocabSize > model.config.vocabSize) {
    throw new ConfigError(
      `config: "vocab_size" is ${model.config.vocabSize}, the tokenizer gives ids up to ${tokenizer.vocabSize - 1}`,
    );
  }
  const range = config["initializer_range"];
  const weights = initialWeights(model, seed, typeof range === "number" ? range : 0.02);
  await writeWeights(join(outDir, "model.safetensors"), weights, "F32");
}
