import { z } from "zod";

import { dot } from "../../util/vector.ts";
import { defineMethod } from "../method.ts";
import { readGroups, sidesOf, tokenizeFitting, tokensOf } from "../pair-examples.ts";

/**
 * Centred hidden embedding similarity (Razin et al., arXiv 2410.08847): ⟨Σ h(y⁺), Σ h(y⁻)⟩ − ‖Σ h(y⁺)‖², h the state behind the
 * final norm that predicts a token, one position earlier than it, summed over the response's tokens; length-normalised, each sum is divided
 * by its number of tokens. As in the authors' ches.py, commit 82e5dca, the state at the last token counts for nothing; their
 * script for whole data sets adds it. Sums (1, 0) of y⁺ and (3, 4) of y⁻: 3 − 1 = 2.
 *
 * The paper finds that DPO on pairs with a high score makes the chosen response less likely. It says nothing of a behaviour: pairs whose
 * responses are alike are high, whatever they say.
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
  score: async ({ checkpoint: { engine, flopsToLayer }, ...task }, { lengths }, work) => {
    const scores = new Float32Array(task.rows.ids.length).fill(Number.NaN);
    const causes = new Map<number, string>();
    const flopsPerToken = flopsToLayer(engine.identity.layerCount);
    for await (const group of readGroups(task, work)) {
      const fitting = tokenizeFitting(
        engine,
        group.map(({ pair }) => sidesOf(pair)),
      );
      const { examples, places } = fitting;
      for (const [place, cause] of fitting.causes) causes.set(group[place]!.row, cause); // of this group
      const found = engine.predictingStates(examples, { signal: work.signal });
      for await (const { index, sums, tokenCounts } of found) {
        const [chosen, rejected] = sums as [Float32Array, Float32Array]; // two responses went in
        const [n, m] = lengths === "plain" ? [1, 1] : (tokenCounts as [number, number]);
        const { row } = group[places[index]!]!; // tokenised from this group
        scores[row] = dot(chosen, rejected) / (n * m) - dot(chosen, chosen) / (n * n);
        const tokens = tokensOf(examples[index]!);
        work.count({ tokens, flops: tokens * flopsPerToken });
      }
    }
    return [{ scores, causes }];
  },
});
