/** @file What is read of a response, a vector for each layer; see docs/methods.md. */
import { z } from "zod";

import { PROJECTIONS } from "../model/gradient-projection.ts";
import type { SketchSize } from "../model/response-gradients.ts";
import type { Plain } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import type { EmbeddingEngine, EmbedOptions, EngineIdentity } from "./engine.ts";

export const FEATURE_KINDS = [
  "states",
  "influence",
  "gradient",
  "concept",
  "tracin",
  "less",
] as const;
export type FeatureKind = (typeof FEATURE_KINDS)[number];
/** Those that are read along a training run. */
export const ALONG_RUN: ReadonlySet<FeatureKind> = new Set(["tracin", "less"]);

/** Those that have one vector, called layer 0. */
export const ONE_VECTOR: ReadonlySet<FeatureKind> = new Set(["gradient", "concept"]);

/** Numbers of a sketch unless the user says otherwise, at most. */
export const DEFAULT_SKETCH = 8192;

const parameters = z
  .string()
  .nullable()
  .describe("Regular expression over their names; null: all.");
const sketchShape = {
  dims: z.int().positive(),
  projection: z.enum(PROJECTIONS),
  seed: z.int(),
};

/** Features in the manifests of what was made of them; files about states say nothing of them. */
export const featuresSchema = z.discriminatedUnion("kind", [
  /**
   * The mean over the response's tokens t of ĥₜ ⊗ εₜ, a sketch of [D, D]: ĥₜ is the residual stream of the token before t, divided by
   * its root mean square, and εₜ the gradient of log p(t) in the state that the output matrix reads. It is the gradient in a linear
   * map from the layer straight to the output, at zero, and takes no backward pass.
   */
  z.strictObject({ kind: z.literal("influence"), ...sketchShape }),
  /** The gradient of the response's log-probability in its weights, a sketch of all of them; layer 0 alone. */
  z.strictObject({
    kind: z.literal("gradient"),
    parameters,
    ...sketchShape,
  }),
  /**
   * Of the after-response of a response pair alone: the gradient of its mean residual stream's projection on a behaviour's direction.
   * It is held to the gradients of pairs; layer 0 alone.
   */
  z.strictObject({
    kind: z.literal("concept"),
    parameters,
    layer: z.int().nonnegative().describe("Of the direction."),
    direction: z.string().describe("Its hash."),
    ...sketchShape,
  }),
  /**
   * A gradient at each saved state of a training run, whose steps are the layers, in what that run trains. Of a pair, as a training
   * example: the step that gradient descent (tracin) or Adam with the state's moments (less) would take for its DPO loss alone. Of a
   * response that is asked about: the gradient of its log-probability.
   */
  z.strictObject({
    kind: z.enum(["tracin", "less"]),
    parameters,
    run: z.strictObject({
      hash: z.string().describe("Over the weights and moments of all states."),
      steps: z.array(z.int().positive()).min(1),
      rates: z
        .array(z.number().nonnegative())
        .describe("Mean learning rate of the steps up to each state, from the one before."),
    }),
    ...sketchShape,
  }),
]);

/** What is read of a response. Of the features of two responses to one prompt the difference is taken. */
export type Features = typeof STATES | Plain<typeof featuresSchema>;
/** A random projection to fewer numbers, which keeps inner products in expectation. */
export type SketchedFeatures = Exclude<Features, typeof STATES>;
/** Those along a training run. */
export type RunFeatures = Extract<SketchedFeatures, { readonly run: unknown }>;

/** The mean residual stream over the response's tokens, [D]; arXiv 2602.11079. */
export const STATES = { kind: "states" } as const;

/** Numbers of a sketch where the user names none: no more than influence features of residual width `dim` can fill. */
export function defaultSketch(
  kind: SketchedFeatures["kind"],
  { dim }: Pick<EngineIdentity, "dim">,
): number {
  const whole = 4 ** Math.ceil(Math.log2(dim));
  return kind === "influence" ? Math.min(DEFAULT_SKETCH, whole) : DEFAULT_SKETCH;
}

/** The features in words, for messages: two are the same where these are. */
export function describeFeatures(features: Features | undefined = STATES): string {
  if (features.kind === "states") return "states";
  const { dims, projection, seed } = features;
  const of = "parameters" in features ? ` of ${features.parameters ?? "all weights"}` : "";
  const along = isAlongRun(features) ? ` along the training run ${shortRun(features)}` : "";
  return `${features.kind} features${of}${along} (${projection} sketch of ${dims}, seed ${seed})`;
}

const shortRun = ({ run }: RunFeatures): string =>
  `${run.hash.slice(0, 12)} at steps ${run.steps.join(", ")}`;

export function isAlongRun(features: Features): features is RunFeatures {
  return "run" in features;
}

/** The features of pairs that those of a behaviour can be held to. */
export function featuresOfPairs(features: Features | undefined): Features | undefined {
  if (features?.kind !== "concept") return features;
  const { layer: _l, direction: _d, ...shared } = features;
  return { ...shared, kind: "gradient" };
}

/** What features are made of besides checkpoint and responses. */
export type FeatureParts = Pick<EmbedOptions, "along" | "direction">;

/** The engine as one that reads these features of every response. */
export function withFeatures<E extends EmbeddingEngine>(
  engine: E,
  features: Features,
  parts: FeatureParts = {},
): EmbeddingEngine & Pick<E, "identity"> {
  if (features.kind === "states") return engine;
  const identity = { ...engine.identity, features, dim: featureDim(engine.identity, features) };
  return {
    identity,
    tokenize: (...turns) => engine.tokenize(...turns),
    embed: (examples, options) => engine.embed(examples, { ...options, ...parts, features }),
  };
}

/** Numbers in a vector of these features. */
export function featureDim({ dim }: Pick<EngineIdentity, "dim">, features: Features): number {
  if (features.kind === "states") return dim;
  const { left, right } = sketchSize(features);
  return left * right;
}

/** The sides of a sketch: powers of two whose product is `dims`, the right one equal or twice as large. Throws ConfigError for other numbers. */
export function sketchSize({ dims }: { readonly dims: number }): SketchSize {
  const power = Math.log2(dims);
  if (!Number.isInteger(power) || power < 2 || power > 20) {
    throw new ConfigError(`sketch: expected a power of two from 4 to 1,048,576, got ${dims}`);
  }
  const left = 2 ** Math.floor(power / 2);
  return { left, right: dims / left };
}

/** Every layer that features of a checkpoint have. */
export function layersOfFeatures(
  { layerCount }: Pick<EngineIdentity, "layerCount">,
  features: Features,
): readonly number[] {
  if (isAlongRun(features)) return features.run.steps;
  const count = ONE_VECTOR.has(features.kind) ? 1 : layerCount + 1;
  return Array.from({ length: count }, (_, layer) => layer);
}

/** Throws ConfigError unless the layers are some that these features have. */
export function expectLayers(
  layers: readonly number[],
  identity: Pick<EngineIdentity, "layerCount">,
  features: Features,
): readonly number[] {
  const known = layersOfFeatures(identity, features);
  const bad = layers.find((layer) => !known.includes(layer));
  if (bad === undefined && layers.length > 0) return [...new Set(layers)];
  const expected = isAlongRun(features)
    ? `steps of the training run (${known.join(", ")})`
    : ONE_VECTOR.has(features.kind)
      ? "0, the one vector that gradients have"
      : `whole numbers from 0 (embeddings) to ${identity.layerCount} (after the last block)`;
  throw new ConfigError(
    `layers: expected ${expected}, got ${layers.length === 0 ? "none" : String(bad)}`,
  );
}
