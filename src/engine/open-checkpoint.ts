import type { CheckpointWeights } from "../model/checkpoint-weights.ts";
import { contextLength } from "../model/context-length.ts";
import { expectWeightsFit } from "../model/expect-weights.ts";
import { readUnapplied } from "../model/generation-config.ts";
import type { LoadedModel } from "../model/model-family.ts";
import { openModel } from "../model/open-model.ts";
import {
  createRenderer,
  type PromptRenderer,
  type RendererOptions,
} from "../model/prompt-renderer.ts";
import { readStopTokens } from "../model/stop-tokens.ts";
import { checkTokenizerFits } from "../model/tokenizer-fit.ts";
import { tokenizerFolder } from "../model/tokenizer-folder.ts";
import type { EngineIdentity } from "./engine.ts";
import type { Precision } from "./precision.ts";

/** A checkpoint folder, opened: everything but the weights' numbers, which are read when they are needed. */
export interface OpenCheckpoint {
  readonly identity: EngineIdentity;
  readonly model: LoadedModel;
  readonly renderer: PromptRenderer;
  /** Where tokenizer and chat template come from: the folder, or the adapter's where it brings its own. */
  readonly tokenizerDir: string;
  /** Tokens that end a response. */
  readonly stopTokens: readonly number[];
  /** See GeneratingEngine.unapplied. */
  readonly unapplied: readonly string[];
  /** With the adapter merged; to be disposed of. */
  readonly weights: CheckpointWeights;
}

/** Opens a checkpoint folder in Hugging Face layout; reads all weights once for the hash. */
export async function openCheckpoint(
  dir: string,
  options: RendererOptions & {
    readonly name?: string | undefined;
    readonly adapter?: string | undefined;
    readonly precision?: Precision | undefined;
    readonly onWarning?: ((line: string) => void) | undefined;
  },
): Promise<OpenCheckpoint> {
  const { precision = "F32" } = options;
  const { model, weights } = await openModel(dir, { adapter: options.adapter });
  try {
    expectWeightsFit(model, weights, dir);
    const tokenizerDir = await tokenizerFolder(dir, options.adapter);
    const renderer = await createRenderer(tokenizerDir, options);
    const { tokenizer } = renderer;
    const misfit = checkTokenizerFits(tokenizer, model.config.vocabSize, tokenizerDir);
    for (const line of tokenizer.warnings) options.onWarning?.(line);
    if (misfit !== undefined) options.onWarning?.(misfit);
    return {
      identity: {
        ...(await identify(options.name ?? dir, { model, weights, renderer })),
        ...(precision === "F32" ? {} : { precision }),
      },
      model,
      renderer,
      tokenizerDir,
      stopTokens: await readStopTokens(dir, renderer),
      unapplied: await readUnapplied(dir),
      weights,
    };
  } catch (error) {
    await weights[Symbol.asyncDispose]();
    throw error;
  }
}

async function identify(
  name: string,
  { model, weights, renderer }: Pick<OpenCheckpoint, "model" | "weights" | "renderer">,
): Promise<EngineIdentity> {
  const { config } = model;
  return {
    name,
    checkpointHash: await weights.contentHash(),
    tokenizerHash: renderer.tokenizerHash,
    templateHash: renderer.templateHash,
    boundary: renderer.boundary,
    family: model.family.name,
    layerCount: config.layerCount,
    dim: config.dim,
    maxPositions: contextLength(config),
  };
}
