import { z } from "zod";

import { betaSetting } from "../beta-setting.ts";
import { defineMethod } from "../method.ts";
import { scoreByLogprobs, type SideLogprobs } from "../pair-logprobs.ts";
import { expectSameTokenizer } from "../same-tokenizer.ts";

/**
 * β [log π₁/π₀(y⁺|x) − log π₁/π₀(y⁻|x)], π₀ the checkpoint before and π₁ the one after training: DPO's own margin (arXiv 2305.18290; as a
 * score of pairs 2510.13212). It knows nothing of the behaviour. With log-probabilities −4 after and −6 before of y⁺, −7 and −5 of y⁻, β = 0.1:
 * 0.1 · (2 + 2) = 0.4.
 */
export const implicitReward = defineMethod({
  name: "implicit-reward",
  meaning:
    "Training has made the chosen response likelier against the rejected one, whatever it says.",
  settings: z.strictObject({
    beta: betaSetting,
  }),
  needs: ["pairs", "checkpoint", "trained"],
  describe: ({ beta }) => ({
    formula: `${beta} times how much more training added to log π(chosen) than to log π(rejected)`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: async ({ checkpoint, trained, ...task }, { beta }, work) => {
    expectSameTokenizer({ checkpoint, trained });
    const settings = [trained, checkpoint].map((model) => ({ model }));
    const margin = (one: SideLogprobs, none: SideLogprobs): number =>
      one.chosen - none.chosen - (one.rejected - none.rejected);
    const { rankings, causes } = await scoreByLogprobs(
      task,
      { settings, scores: ([one, none]) => [beta * margin(one!, none!)] }, // two went in
      work,
    );
    return [{ scores: rankings[0]!, causes }]; // one was asked for
  },
});
