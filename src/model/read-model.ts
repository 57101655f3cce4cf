import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ConfigError, FormatError } from "../util/errors.ts";
import { findFamily } from "./families/index.ts";
import type { ModelConfig } from "./model-config.ts";
import type { ModelFamily } from "./model-family.ts";

/** A checkpoint's architecture, read from config.json; no weights yet. */
export interface LoadedModel {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
}

/** Reads a checkpoint folder's config.json. */
export async function readModel(dir: string): Promise<LoadedModel> {
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
  const family = findFamily(json, path);
  return { family, config: family.readConfig(json, path) };
}
