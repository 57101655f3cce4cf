/** @file What is read of responses, as settings of the verbs that read them. */
import { z } from "zod";

import type { EngineIdentity } from "../../engine/engine.ts";
import {
  ALONG_RUN,
  defaultSketch,
  expectLayers,
  FEATURE_KINDS,
  type FeatureKind,
  type FeatureParts,
  type Features,
  isAlongRun,
  ONE_VECTOR,
  STATES,
} from "../../engine/features.ts";
import type { AlongRun } from "../../engine/training-states.ts";
import { PROJECTIONS } from "../../model/gradient-projection.ts";
import type { KeptStates } from "../../training/kept-states.ts";
import type { Plain } from "../../util/artifact.ts";
import { ConfigError } from "../../util/errors.ts";
import { hashBytes } from "../../util/hash.ts";
import { nonEmpty, seed } from "../../util/setting-kinds.ts";
import { type Contradiction, need } from "../verb.ts";
import { type LayerSelection, resolveLayers } from "./common.ts";

export const featureSettings = {
  features: z
    .enum(FEATURE_KINDS)
    .default("states")
    .describe(
      "What is read of a response: states, the mean residual stream over its tokens; influence, the mean of the predicting state times the output's error, for the method influence-probe; gradient, that of its log-probability in the weights; concept, of the after-response of a behaviour, that of its projection on the direction of a behaviour of states (--concept), for the method concept-influence; tracin and less, what training on a pair does at each kept state of a training run (--warmup), for the methods of these names.",
    ),
  sketch: z
    .int()
    .min(4)
    .max(2 ** 20)
    .refine((dims) => Number.isInteger(Math.log2(dims)), { error: "expected a power of two" })
    .optional()
    .describe(
      "Numbers that influence and gradient features are projected to, a power of two. Absent: 8192, or what holds them whole where that is less.",
    ),
  projection: z
    .enum(PROJECTIONS)
    .default("rademacher")
    .describe("What the projection's numbers are drawn from."),
  projectionSeed: seed.default(0).describe("Seed of the projection."),
  parameters: nonEmpty
    .refine(isExpression, { error: "expected a regular expression" })
    .optional()
    .describe(
      "Weights that gradients are taken in, a regular expression over their names. Absent: all.",
    ),
};

function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

const shape = z.strictObject(featureSettings);
type FeatureSettings = Plain<typeof shape>;

/** The settings that these features have, of `given`; the others as where nobody names them. */
export function settingsOfFeatures(
  features: FeatureKind,
  { sketch, projection, projectionSeed, parameters }: Omit<FeatureSettings, "features">,
): FeatureSettings {
  if (features === "states") return shape.parse({});
  const shared = { features, sketch, projection, projectionSeed };
  return features === "influence" ? shared : { ...shared, parameters };
}

/** What is read, and at which layers of it. */
interface Reading {
  readonly features: Features;
  readonly layers: readonly number[];
  readonly parts: FeatureParts;
}

/** What features are made of besides settings and checkpoint. */
interface ReadingFrom {
  readonly reads: AlongRun["reads"];
  /** Of features along a training run. */
  readonly warmup?: KeptStates | undefined;
  /** Of features of a concept. */
  readonly concept?: Concept | undefined;
}

/** A direction of the residual stream. */
export interface Concept {
  readonly layer: number;
  /** [D], of length 1. */
  readonly direction: Float32Array;
}

/**
 * The features that the settings name, for a checkpoint. Throws ConfigError where a training run started from another checkpoint, or a
 * layer is none of the features'.
 */
export function readingOf(
  settings: FeatureSettings & { readonly layers: LayerSelection },
  identity: EngineIdentity,
  { reads, warmup, concept }: ReadingFrom,
): Reading {
  const features = featuresOf(settings, identity, { warmup, concept });
  if (!isAlongRun(features)) {
    const layers = ONE_VECTOR.has(features.kind)
      ? expectLayers(settings.layers === "all" ? [0] : settings.layers, identity, features)
      : resolveLayers(settings.layers, identity.layerCount);
    return { features, layers, parts: { direction: concept?.direction } };
  }
  const run = warmup!; // such features are made of it
  if (run.checkpointHash !== identity.checkpointHash) {
    throw new ConfigError(
      `warmup: expected a training run that started from ${identity.name}, got one from another checkpoint`,
      { hint: "Train it with the same --checkpoint and --adapter." },
    );
  }
  const layers = settings.layers === "all" ? features.run.steps : settings.layers;
  const parts = { along: { run, reads } };
  return { features, layers: expectLayers(layers, identity, features), parts };
}

/** Kept pairs apart by chance are half of them: from here on the run has learned something. */
const LEARNED_ACCURACY = 0.55;

/** What is to be known of a run before what is read along it is trusted. */
export function warmupDoubts(warmup: KeptStates | undefined): readonly string[] {
  const accuracy = warmup?.accuracy;
  if (accuracy === undefined || accuracy >= LEARNED_ACCURACY) return [];
  return [
    `the warm-up has not learned to tell chosen from rejected: it is right on ${(100 * accuracy).toFixed(0)}% of the pairs of its last tenth; train it longer or with a higher learning rate`,
  ];
}

function featuresOf(
  { features: kind, sketch, projection, projectionSeed, ...given }: FeatureSettings,
  identity: Pick<EngineIdentity, "dim">,
  { warmup, concept }: Pick<ReadingFrom, "warmup" | "concept">,
): Features {
  if (kind === "states") return STATES;
  const dims = sketch ?? defaultSketch(kind, identity);
  const shared = { dims, projection, seed: projectionSeed };
  if (kind === "influence") return { kind, ...shared };
  const parameters = given.parameters ?? null;
  if (kind === "gradient") return { kind, parameters, ...shared };
  if (kind === "concept") {
    const { layer, direction } = concept!; // featureContradictions
    const bytes = new Uint8Array(direction.buffer, direction.byteOffset, direction.byteLength);
    return { kind, parameters, layer, direction: hashBytes(bytes), ...shared };
  }
  if (warmup === undefined) throw new Error(`internal: ${kind} features are along a run`);
  const run = {
    hash: warmup.hash,
    steps: warmup.states.map(({ step }) => step),
    rates: warmup.states.map(({ rate }) => rate),
  };
  return { kind, parameters, run, ...shared };
}

/** Settings and inputs that belong to other features and so would be passed over. */
export function featureContradictions(
  { features, sketch, projection, projectionSeed, parameters }: FeatureSettings,
  given: ReadonlySet<string>,
): readonly Contradiction[] {
  const isDrawn = projection !== "rademacher" || projectionSeed !== 0;
  const isAlong = ALONG_RUN.has(features);
  return [
    ...need(
      given.has("warmup") === isAlong,
      ["warmup"],
      isAlong
        ? `expected a training run, which features ${features} are along, got none`
        : `expected none with features ${features}, which are along no training run`,
    ),
    ...need(
      features !== "states" || (sketch === undefined && !isDrawn),
      ["sketch", "projection", "projectionSeed"],
      "expected other features with it, got states",
    ),
    ...need(
      given.has("concept") === (features === "concept"),
      ["concept"],
      features === "concept"
        ? "expected a behaviour of states, whose direction features concept are of, got none"
        : `expected none with features ${features}`,
    ),
    ...need(
      (features !== "states" && features !== "influence") || parameters === undefined,
      ["parameters"],
      `expected features of gradients with it, got ${features}`,
    ),
  ];
}
