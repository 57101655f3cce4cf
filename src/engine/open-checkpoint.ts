import { type CheckpointWeights, openWeights } from "../model/checkpoint-weights.ts";
import { expectWeightsFit } from "../model/expect-weights.ts";
import { applyLora } from "../model/lora.ts";
import type { LoadedModel } from "../model/model-family.ts";
import {
  createRenderer,
  type PromptRenderer,
  type RendererOptions,
} from "../model/prompt-renderer.ts";
import { readModel } from "../model/read-model.ts";
import { readStopTokens } from "../model/stop-tokens.ts";
import { expectTokenizerFits } from "../model/tokenizer-fit.ts";
import type { EngineIdentity } from "./engine.ts";

/** A checkpoint folder, opened: everything but the weights' numbers, which are read when they are needed. */
export interface OpenCheckpoint {
  readonly identity: EngineIdentity;
  readonly model: LoadedModel;
  readonly renderer: PromptRenderer;
  /** Tokens that end a response. */
  readonly stopTokens: readonly number[];
  /** With the adapter merged; to be disposed of. */
  readonly weights: CheckpointWeights;
}

/** Opens a checkpoint folder in Hugging Face layout; reads all weights once for the hash. */
export async function openCheckpoint(
  dir: string,
  options: RendererOptions & {
    readonly name?: string | undefined;
    readonly adapter?: string | undefined;
    readonly onWarning?: ((line: string) => void) | undefined;
  },
): Promise<OpenCheckpoint> {
  const model = await readModel(dir);
  const renderer = await createRenderer(dir, options);
  for (const line of renderer.tokenizer.warnings) options.onWarning?.(line);
  expectTokenizerFits(renderer.tokenizer, model.config.vocabSize, dir);
  const base = await openWeights(dir);
  const weights = options.adapter === undefined ? base : await applyLora(base, options.adapter);
  const { config } = model;
  expectWeightsFit(model, weights, dir);
  const identity: EngineIdentity = {
    name: options.name ?? dir,
    checkpointHash: await weights.contentHash(),
    tokenizerHash: renderer.tokenizerHash,
    templateHash: renderer.templateHash,
    boundary: renderer.boundary,
    family: model.family.name,
    layerCount: config.layerCount,
    dim: config.dim,
    maxPositions: config.maxPositions,
  };
  const stopTokens = await readStopTokens(dir, renderer);
  return { identity, model, renderer, stopTokens, weights };
}
