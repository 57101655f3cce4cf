import { FormatError, UnsupportedError } from "../util/errors.ts";
import type { RepoFile } from "./repo-file.ts";

/** Everything but the weights that a checkpoint folder is read from. */
const SMALL_FILES: readonly string[] = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  "adapter_config.json",
];
/** Further chat templates of a checkpoint. */
const MORE_TEMPLATES = /^additional_chat_templates\/[^/]+\.jinja$/;
const SINGLE_WEIGHTS = "model.safetensors";
const ADAPTER_WEIGHTS = "adapter_model.safetensors";
/** Pickled weights run code when they are read, so they are never downloaded. */
const PICKLE_PATTERN = /\.(?:bin|pt|pth|ckpt)$/;

export const WEIGHTS_INDEX = "model.safetensors.index.json";
/** A real index has some 100 bytes a tensor; the largest models have 100,000 tensors. */
export const MAX_INDEX_BYTES = 64 * 2 ** 20;

/**
 * The files of a repository's top folder that make up the checkpoint: configuration, tokenizer and weights. `index` is the
 * text of its `model.safetensors.index.json` if it has one; then the weights are exactly the shards it names. Otherwise they
 * are `model.safetensors`, or else every safetensors file. A LoRA adapter's weights come along in each case.
 * Throws UnsupportedError where there are no safetensors weights, FormatError on an index that does not fit the files.
 */
export function selectCheckpointFiles(
  where: string,
  files: readonly RepoFile[],
  index: string | undefined,
): readonly RepoFile[] {
  const small = files.filter(({ path }) => SMALL_FILES.includes(path) || MORE_TEMPLATES.test(path));
  const adapter = files.filter((file) => file.path === ADAPTER_WEIGHTS);
  if (index !== undefined) {
    const indexFile = files.filter((file) => file.path === WEIGHTS_INDEX);
    return [...small, ...indexFile, ...selectShards(where, files, index), ...adapter];
  }
  const weights = files.filter((file) => /^[^/]+\.safetensors$/.test(file.path));
  if (weights.length === 0) throw describeNoWeights(where, files);
  const single = weights.filter((file) => file.path === SINGLE_WEIGHTS);
  return single.length === 0 ? [...small, ...weights] : [...small, ...single, ...adapter];
}

function selectShards(
  where: string,
  files: readonly RepoFile[],
  index: string,
): readonly RepoFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return [...new Set(parseShardNames(where, index))].map((name) => {
    const shard = byPath.get(name);
    if (shard !== undefined && name.endsWith(".safetensors")) return shard;
    throw new FormatError(
      `${where}: ${WEIGHTS_INDEX} names the shard ${JSON.stringify(name)}, which the repository does not have`,
      { hint: "The upload is incomplete: ask its owner, or name another revision." },
    );
  });
}

function parseShardNames(where: string, index: string): readonly string[] {
  try {
    const { weight_map: map } = JSON.parse(index) as { weight_map?: unknown }; // checked below
    const names: unknown[] = typeof map === "object" && map !== null ? Object.values(map) : [];
    if (names.length === 0) throw new Error("no weight_map");
    return names.map((name) => {
      if (typeof name !== "string") throw new Error("a shard that is not a text");
      return name;
    });
  } catch (error) {
    throw new FormatError(`${where}: ${WEIGHTS_INDEX} should map tensors to shards`, {
      hint: "Look at this file in the repository: it is damaged.",
      cause: error,
    });
  }
}

function describeNoWeights(where: string, files: readonly RepoFile[]): UnsupportedError {
  const pickles = files.filter((file) => PICKLE_PATTERN.test(file.path));
  if (pickles.length > 0) {
    return new UnsupportedError(
      `${where}: expected safetensors weights, got only pickled ones (${pickles[0]!.path})`,
      {
        hint: "Pickles can run code and are not read: look for a revision with safetensors (often @refs/pr/1), or convert it.",
      },
    );
  }
  const nested = files.find((file) => file.path.endsWith(".safetensors"));
  const got = nested === undefined ? "none" : `only ${nested.path} in a folder below`;
  return new UnsupportedError(
    `${where}: expected safetensors weights in its top folder, got ${got}`,
    { hint: "Check that this repository holds a Hugging Face transformers checkpoint." },
  );
}
