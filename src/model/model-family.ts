import type { Tensor } from "../tensor/graph.ts";
import type { AttentionContext } from "./layers.ts";
import type { ModelConfig } from "./model-config.ts";

/** One architecture: how to read its config, and its block. `families/index.ts` lists them all. */
export interface ModelFamily {
  readonly name: string;
  /** The `model_type` values of config.json that it handles. */
  readonly modelTypes: readonly string[];
  /** Reads config.json; throws on a key that it does not read. `where` is the file, for messages. */
  readConfig(config: unknown, where: string): ModelConfig;
  /** Block number `layer` (from 0): the residual stream [B, T, D] before it to the one after it. */
  block(x: Tensor, layer: number, config: ModelConfig, context: AttentionContext): Tensor;
}
