import { z } from "zod";

import { type FeatureKind, ONE_VECTOR } from "../engine/features.ts";
import { type AttributionMethod, defineMethod } from "./method.ts";
import { rankStore } from "./rank-store.ts";
import { SCORER_TRAITS, SCORERS } from "./scorer.ts";

/** The methods that hold a vector of each pair to one of the behaviour: what the vectors are of makes the difference. */
export function storeMethod({
  name,
  features,
  behaviorFeatures,
  meaning,
}: {
  readonly name: string;
  readonly features: FeatureKind;
  /** Of behaviours; default: the same. */
  readonly behaviorFeatures?: FeatureKind | undefined;
  readonly meaning: string;
}): AttributionMethod<"store" | "behavior", typeof settings> {
  const hasLayer = !ONE_VECTOR.has(features);
  return defineMethod({
    name,
    meaning,
    features,
    behaviorFeatures,
    settings,
    needs: ["store", "behavior"],
    describe: ({ scorer }) => {
      const { formula, traits, noVerdict } = SCORER_TRAITS[scorer];
      const held =
        behaviorFeatures === undefined
          ? ""
          : `, held to ${behaviorFeatures} features of the behaviour`;
      const of = features === "states" ? "" : ` of ${features} features${held}`;
      return {
        formula: `${formula}${of}; higher = chosen minus rejected points more along after minus before`,
        ...(features === "states" ? {} : { features }),
        traits: { ...traits, hasLayer },
        noVerdict,
      };
    },
    score: async ({ store, behavior, layers }, { scorer, nullDirections }, work) => {
      const scores = await rankStore(store, behavior.wanted, {
        scorer,
        nullDirections,
        ...work,
        layers: hasLayer ? layers : undefined,
        nullBehaviors: behavior.unrelated,
      });
      return hasLayer ? scores : scores.map((each) => ({ ...each, layer: undefined }));
    },
  });
}

const settings = z.strictObject({
  scorer: z
    .enum(SCORERS)
    .default("cosine")
    .describe(
      "Of methods that read a vector store: cosine of the pair's vector with the behaviour's; projection, which keeps the vector's length; centred-cosine, the mean vector of all pairs subtracted; bank-max, the nearest of the behaviour's scenarios.",
    ),
  nullDirections: z
    .int()
    .min(0)
    .max(1024)
    .optional()
    .describe(
      "Of the same methods: null directions to score, at most; 0 for none. Absent: all that the behaviour has, of which bank-max takes 16.",
    ),
});
