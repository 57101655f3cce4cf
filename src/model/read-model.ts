import { existsSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../util/errors.ts";
import { FAMILIES, findFamily } from "./families/index.ts";
import type { ModelConfig } from "./model-config.ts";
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
  const config = family.readConfig(json, path);
  expectFactors(path, config);
  return { family, config };
}

/** Throws ConfigError unless a rope's lists of factors have a factor for each frequency. */
function expectFactors(path: string, { attention, rotaryDim }: ModelConfig): void {
  const count = rotaryDim / 2;
  for (const { rope } of attention) {
    if (rope?.kind !== "longrope") continue;
    for (const factors of [rope.shortFactors, rope.longFactors]) {
      if (factors.length === count) continue;
      throw new ConfigError(
        `${path}: longrope: expected ${count} short and ${count} long factors, half the rotated numbers of a head, got ${factors.length}`,
      );
    }
  }
}
