import { z } from "zod";

import { defineMethod } from "../method.ts";
import { rankStore } from "../rank-store.ts";
import { SCORER_TRAITS, SCORERS } from "../scorer.ts";

export const probe = defineMethod({
  name: "probe",
  meaning:
    "Going from the rejected to the chosen response moves the activations the way the behaviour does.",
  settings: z.strictObject({
    scorer: z
      .enum(SCORERS)
      .default("cosine")
      .describe(
        "probe: cosine of the pair's vector with the behaviour's; projection, which keeps the vector's length; centred-cosine, the mean vector of all pairs subtracted; bank-max, the nearest of the behaviour's scenarios.",
      ),
    nullDirections: z
      .int()
      .min(0)
      .max(1024)
      .optional()
      .describe(
        "probe: null directions to score, at most; 0 for none. Absent: all that the behaviour has, of which bank-max takes 16.",
      ),
  }),
  needs: ["store", "behavior"],
  describe: ({ scorer }) => {
    const { formula, traits, noVerdict } = SCORER_TRAITS[scorer];
    return {
      formula: `${formula}; higher = chosen minus rejected points more along after minus before`,
      traits,
      noVerdict,
    };
  },
  score: ({ store, behavior, layers }, settings, work) =>
    rankStore(store, behavior.wanted, {
      ...settings,
      ...work,
      layers,
      nullBehaviors: behavior.unrelated,
    }),
});
