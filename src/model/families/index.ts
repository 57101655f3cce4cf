/** @file Every architecture. A new one is one file here plus one line. */
import { ConfigError, UnsupportedError } from "../../util/errors.ts";
import type { ModelFamily } from "../model-family.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3Text } from "./gemma3-text.ts";
import { gptNeox } from "./gpt-neox.ts";
import { granite } from "./granite.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { olmo2 } from "./olmo2.ts";
import { olmo3 } from "./olmo3.ts";
import { olmoe } from "./olmoe.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";
import { smollm3 } from "./smollm3.ts";

export const FAMILIES: readonly ModelFamily[] = [
  gemma2,
  gemma3Text,
  gptNeox,
  granite,
  llama,
  mistral,
  olmo2,
  olmo3,
  olmoe,
  phi3,
  qwen2,
  qwen3,
  smollm3,
];

/** The family of a parsed config.json, by its `model_type`; throws UnsupportedError naming an unknown one. */
export function findFamily(
  config: unknown,
  where: string,
  families: readonly ModelFamily[] = FAMILIES,
): ModelFamily {
  const type =
    typeof config === "object" && config !== null && "model_type" in config
      ? config.model_type
      : undefined;
  if (typeof type !== "string") {
    throw new ConfigError(`${where}: expected a "model_type", found none`, {
      hint: "Point at a Hugging Face checkpoint folder with its config.json.",
    });
  }
  const family = families.find((each) => each.modelTypes.includes(type));
  if (family === undefined) {
    throw new UnsupportedError(
      `${where}: model_type "${type}" is not supported, expected ${families.flatMap((each) => each.modelTypes).join(", ")}`,
    );
  }
  return family;
}
