/** @file What is read of a response, a vector for each layer; see docs/methods.md. */
import type { ProjectionKind } from "../model/gradient-projection.ts";
import type { SketchSize } from "../model/response-gradients.ts";
import { ConfigError } from "../util/errors.ts";
import type { EngineIdentity } from "./engine.ts";

export const FEATURE_KINDS = ["states", "influence", "gradient"] as const;
export type FeatureKind = (typeof FEATURE_KINDS)[number];

/** What is read of a response. Of the features of two responses to one prompt the difference is taken. */
export type Features =
  /** The mean residual stream over the response's tokens, [D]; arXiv 2602.11079. */
  | { readonly kind: "states" }
  /**
   * The mean over the response's tokens t of ĥₜ ⊗ εₜ, a sketch of [D, D]: ĥₜ is the residual stream of the token before t, divided by
   * its root mean square, and εₜ the gradient of log p(t) in the state that the output matrix reads. It is the gradient in a linear
   * map from the layer straight to the output, at zero, and takes no backward pass.
   */
  | ({ readonly kind: "influence" } & Sketch)
  /** The gradient of the response's log-probability in the weights that `parameters` names, a sketch of all of them; layer 0 alone. */
  | ({
      readonly kind: "gradient";
      /** Regular expression over the names of weights; null: all. */
      readonly parameters: string | null;
    } & Sketch);

/** Random projection to fewer numbers, which keeps inner products in expectation. */
export interface Sketch {
  /** Numbers of a sketch, a product of two sizes; see sketchSize. */
  readonly dims: number;
  readonly projection: ProjectionKind;
  readonly seed: number;
}

export const STATES: Features = { kind: "states" };

/** Numbers in a vector of these features. */
export function featureDim({ dim }: Pick<EngineIdentity, "dim">, features: Features): number {
  if (features.kind === "states") return dim;
  const { left, right } = sketchSize(features);
  return left * right;
}

/** The sides of a sketch: powers of two whose product is `dims`, the right one equal or twice as large. Throws ConfigError for other numbers. */
export function sketchSize({ dims }: Pick<Sketch, "dims">): SketchSize {
  const power = Math.log2(dims);
  if (!Number.isInteger(power) || power < 2 || power > 20) {
    throw new ConfigError(`sketch: expected a power of two from 4 to 1,048,576, got ${dims}`);
  }
  const left = 2 ** Math.floor(power / 2);
  return { left, right: dims / left };
}

/** Throws ConfigError unless the layers are some that these features have. */
export function expectLayers(
  layers: readonly number[],
  { layerCount }: Pick<EngineIdentity, "layerCount">,
  features: Features,
): readonly number[] {
  const last = features.kind === "gradient" ? 0 : layerCount;
  const bad = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer > last);
  if (bad === undefined && layers.length > 0) return [...new Set(layers)];
  const expected =
    features.kind === "gradient"
      ? "0, the one vector that gradients have"
      : `whole numbers from 0 (embeddings) to ${layerCount} (after the last block)`;
  throw new ConfigError(
    `layers: expected ${expected}, got ${layers.length === 0 ? "none" : String(bad)}`,
  );
}
