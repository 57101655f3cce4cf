import type { Tensor } from "../tensor/graph.ts";
import type { AttentionContext } from "./attention-context.ts";
import type { ModelConfig } from "./model-config.ts";

/** A checkpoint's architecture, read from config.json; no weights yet. */
export interface LoadedModel<C extends ModelConfig = ModelConfig> {
  readonly family: ModelFamily<C>;
  readonly config: C;
}

/**
 * One architecture: how to read its config, and its parts. `families/index.ts` lists them all; most are LLAMA_LIKE but for a part. A
 * family whose parts need numbers that ModelConfig lacks has a config `C` of its own: its parts get what its readConfig gave.
 */
export interface ModelFamily<C extends ModelConfig = ModelConfig> extends ModelParts<C> {
  readonly name: string;
  /** The `model_type` values of config.json that it handles. */
  readonly modelTypes: readonly string[];
  /** Reads config.json; throws on a key that it does not read. `where` is the file, for messages. */
  readConfig(config: unknown, where: string): C;
}

/** Names of weights that the rest of the program asks for. */
export interface WeightNames {
  /** How the names of the base model begin, everything but the output matrix: `model.`. */
  readonly base: string;
  /** The embedding table [V, D]; with tied embeddings also the output matrix. */
  readonly embedding: string;
  /** The output matrix [V, D] of a checkpoint whose embeddings are not tied. */
  readonly outputMatrix: string;
  /** Another name that files have for it. Default: none. */
  readonly outputMatrixAlias?: string | undefined;
  /** Weights that some exporters store and no graph reads. Default: none. */
  readonly unused?: RegExp | undefined;
}

/** What a family's graphs are made of, those that embed as well as those that sample and train. */
export interface ModelParts<C extends ModelConfig = ModelConfig> {
  readonly names: WeightNames;
  /** Token ids [...] to the residual stream at layer 0, [..., D]. */
  embed(ids: Tensor, config: C): Tensor;
  /** Block number `layer` (from 0): the residual stream [B, T, D] before it to the one after it. */
  block(x: Tensor, layer: number, model: LoadedModel<C>, context: AttentionContext): Tensor;
  /** Every norm of the blocks and of the head. */
  readonly norm: Norm;
  /** The MLP's activation, element by element. */
  activation(x: Tensor): Tensor;
  /** Residual stream after the last block [..., D] to logits over the vocabulary [..., V]. */
  head(x: Tensor, model: LoadedModel<C>, options?: HeadOptions): Tensor;
}

/** A normalisation over the last axis. */
export interface Norm {
  /** Weights under `<name>.`. */
  apply(x: Tensor, name: string, config: ModelConfig): Tensor;
  /** Its weights before any training. */
  readonly initial: number;
}

export interface HeadOptions {
  /**
   * Takes the output matrix as it is stored, [V, D], so that both uses of a tied table share one gradient. Default false: a transposed
   * copy, which is faster.
   */
  readonly isStored?: boolean | undefined;
}
