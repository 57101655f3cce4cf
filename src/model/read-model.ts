import { existsSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../util/errors.ts";
import { FAMILIES, findFamily } from "./families/index.ts";
import type { LoadedModel, ModelFamily } from "./model-family.ts";
import { readJson } from "./read-json.ts";

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
  const json = await readJson(
    path,
    "Point at a Hugging Face checkpoint folder: config.json, *.safetensors, tokenizer.json.",
  );
  const family = findFamily(json, path, families);
  return { family, config: family.readConfig(json, path) };
}
