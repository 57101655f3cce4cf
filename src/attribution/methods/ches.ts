import { z } from "zod";

import { hiddenSimilarity } from "../hidden-similarity.ts";
import { defineMethod } from "../method.ts";

/**
 * Centred hidden embedding similarity, see hiddenSimilarity. The paper finds that DPO on pairs with a high score makes the chosen response
 * less likely. It says nothing of a behaviour: pairs whose responses are alike are high, whatever they say.
 */
export const ches = defineMethod({
  name: "ches",
  meaning:
    "The two responses are alike to the model, so that training on them may make the chosen one less likely; it knows nothing of the behaviour.",
  settings: z.strictObject({
    lengths: z
      .enum(["plain", "normalised"])
      .default("plain")
      .describe("ches: plain takes sums over a response's tokens, normalised their means."),
  }),
  needs: ["pairs", "checkpoint"],
  describe: ({ lengths }) => ({
    formula: `<h+, h-> - <h+, h+>, h the ${lengths === "plain" ? "sum" : "mean"} over a response's tokens of the states that predict them, behind the final norm`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: async (task, { lengths }, work) => {
    const { causes, ...scores } = await hiddenSimilarity(task, work);
    return [{ scores: scores[lengths], causes }];
  },
});
