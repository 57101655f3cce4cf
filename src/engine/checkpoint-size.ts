/** @file What a checkpoint folder holds, without opening it: its size for estimates of cost, and a hash of what decides its answers. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { blockWeights } from "../model/block-weights.ts";
import { TEMPLATE_FOLDER } from "../model/chat-template-files.ts";
import { expectWeightsFit } from "../model/expect-weights.ts";
import { openModel } from "../model/open-model.ts";
import { readModel } from "../model/read-model.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import type { FeatureKind } from "./features.ts";

/** How large a checkpoint is, for estimates of cost. */
export interface CheckpointSize {
  /** Numbers of the residual stream. */
  readonly dim: number;
  readonly layerCount: number;
  /** Weights of the matrices of one block that a token meets. */
  readonly blockParameters: number;
  /** Weights of the output matrix. */
  readonly headParameters: number;
}

/** Reads the size off config.json. */
export async function checkpointSize(folder: string): Promise<CheckpointSize> {
  const { config } = await readModel(folder);
  const { dim, layerCount, vocabSize } = config;
  return {
    dim,
    layerCount,
    blockParameters: blockWeights(config),
    headParameters: dim * vocabSize,
  };
}

/**
 * Opens a checkpoint's weights as the engine does, headers alone, and lets them go. Throws ConfigError, FormatError or UnsupportedError where
 * they are damaged or do not fit config.json: a run says so before its first stage, and not when it comes to them.
 */
export async function expectWhole(folder: string): Promise<void> {
  const { model, weights } = await openModel(folder);
  await using _ = weights;
  expectWeightsFit(model, weights, folder);
}

/** Floating-point operations of a token on its way through the first `blocks` blocks: two for each weight. */
export function blockFlops(size: CheckpointSize, blocks: number): number {
  return 2 * blocks * size.blockParameters;
}

/**
 * Floating-point operations of a token whose features are read. Influence features take the whole way forward and the output matrix
 * twice, gradients as much again for the way back, at each state of a training run and once more for its reference; the output matrix
 * is counted for prompt tokens too, which do without it.
 */
export function featureFlops(
  size: CheckpointSize,
  kind: FeatureKind,
  layers: readonly number[],
): number {
  if (kind === "states") return blockFlops(size, Math.max(...layers));
  const whole = blockFlops(size, size.layerCount) + 2 * size.headParameters;
  if (kind === "influence") return whole + 2 * size.headParameters;
  return kind === "gradient" ? 2 * whole : (2 * layers.length + 1) * whole;
}

/** Weights, config, tokenizer and chat template: what a checkpoint does depends on these and no other files. */
const COUNTED = /\.(safetensors|json|jinja|txt|model)$/;

/** Hash over the names and contents of a checkpoint folder's files; reads all of them. */
export async function hashCheckpoint(folder: string): Promise<string> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    const got = { ENOENT: "nothing there", ENOTDIR: "a file" }[error.code ?? ""] ?? error.code;
    throw new ConfigError(`${folder}: expected a checkpoint folder, got ${got}`, {
      hint: "A checkpoint is a Hugging Face folder, or hf://owner/name to download one.",
      cause: error,
    });
  });
  const files: [string, string][] = [];
  const templates = names.includes(TEMPLATE_FOLDER)
    ? await readdir(join(folder, TEMPLATE_FOLDER))
    : [];
  const all = [...names, ...templates.map((name) => `${TEMPLATE_FOLDER}/${name}`)];
  for (const name of all.filter((each) => COUNTED.test(each)).toSorted()) {
    files.push([name, await hashFile(join(folder, name))]);
  }
  return hashValue(files);
}
