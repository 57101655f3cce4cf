import type { EngineHost, EngineOptions } from "../engine/engine-host.ts";
import type { Engine } from "../engine/engine.ts";

/** A checkpoint that scores are made with. */
export interface ScoringModel {
  readonly engine: Pick<
    Engine,
    "identity" | "tokenize" | "tokenizeText" | "embed" | "logprobs" | "predictingStates"
  >;
  /** Of a forward pass with logits. */
  readonly flopsPerToken: number;
  /** Of a forward pass up to a layer, without logits. */
  readonly flopsToLayer: (layer: number) => number;
  /** How it was opened, for methods that train it; absent: it cannot be trained. */
  readonly origin?:
    | { readonly host: EngineHost; readonly folder: string; readonly options: EngineOptions }
    | undefined;
}
