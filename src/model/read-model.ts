import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ConfigError, FormatError } from "../util/errors.ts";
import { FAMILIES, findFamily } from "./families/index.ts";
import type { LoadedModel, ModelFamily } from "./model-family.ts";

/** Reads a checkpoint folder's config.json, as one of `families` (default: all). */
export async function readModel(
  dir: string,
  families: readonly ModelFamily[] = FAMILIES,
): Promise<LoadedModel> {
  const path = join(dir, "config.json");
  if (!existsSync(dir)) {
    throw new ConfigError(`${dir}: no such folder`, {
      hint: "A checkpoint is a Hugging Face folder, or hf://owner/name to download one.",
    });
  }
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read`, {
      hint: "Point at a Hugging Face checkpoint folder: config.json, *.safetensors, tokenizer.json.",
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${path}: not valid JSON`, {
      hint: "Download the file again.",
      cause: error,
    });
  }
  const family = findFamily(json, path, families);
  return { family, config: family.readConfig(json, path) };
}
