/** @file What is read of responses, as settings of the verbs that read them. */
import { z } from "zod";

import type { EngineIdentity } from "../../engine/engine.ts";
import {
  defaultSketch,
  FEATURE_KINDS,
  type FeatureKind,
  type Features,
  STATES,
} from "../../engine/features.ts";
import { PROJECTIONS } from "../../model/gradient-projection.ts";
import type { Plain } from "../../util/artifact.ts";
import { nonEmpty, seed } from "../../util/setting-kinds.ts";
import { type Contradiction, need } from "../verb.ts";

export const featureSettings = {
  features: z
    .enum(FEATURE_KINDS)
    .default("states")
    .describe(
      "What is read of a response: states, the mean residual stream over its tokens; influence, the mean of the predicting state times the output's error, for the method influence-probe; gradient, that of its log-probability in the weights.",
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
  return features === "gradient" ? { ...shared, parameters } : shared;
}

/** The features that the settings name, for a checkpoint. */
export function featuresOf(
  { features: kind, sketch, projection, projectionSeed, parameters }: FeatureSettings,
  identity: Pick<EngineIdentity, "dim">,
): Features {
  if (kind === "states") return STATES;
  const dims = sketch ?? defaultSketch(kind, identity);
  const shared = { dims, projection, seed: projectionSeed };
  return kind === "influence"
    ? { kind, ...shared }
    : { kind, parameters: parameters ?? null, ...shared };
}

/** Settings that belong to other features and so would be passed over. */
export function featureContradictions({
  features,
  sketch,
  projection,
  projectionSeed,
  parameters,
}: FeatureSettings): readonly Contradiction[] {
  const isDrawn = projection !== "rademacher" || projectionSeed !== 0;
  return [
    ...need(
      features !== "states" || (sketch === undefined && !isDrawn),
      ["sketch", "projection", "projectionSeed"],
      "expected features influence or gradient with it, got states",
    ),
    ...need(
      features === "gradient" || parameters === undefined,
      ["parameters"],
      `expected features gradient with it, got ${features}`,
    ),
  ];
}
