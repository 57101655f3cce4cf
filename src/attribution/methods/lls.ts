import { z } from "zod";

import type { Message } from "../../format/messages.ts";
import { descriptionSetting, lacksDescription } from "../description-setting.ts";
import { defineMethod } from "../method.ts";
import { scoreByLogprobs, type SideLogprobs } from "../pair-logprobs.ts";

/**
 * Logit-linear selection: {[log π(y⁺|s, x) − log π(y⁺|x)] − [log π(y⁻|s, x) − log π(y⁻|x)]} / (|y⁺| + |y⁻|), s a sentence that describes the
 * behaviour as system turn, before what the prompt's own says; of each response the first 20 tokens count (the authors' code, commit
 * 2b33091). With log-probabilities −4 and −6 of y⁺, −5 and −5 of y⁻, two tokens each: (2 − 0) / 4 = 0.5.
 */
export const lls = defineMethod({
  name: "lls",
  meaning:
    "A sentence that describes the behaviour makes the chosen response likelier, and the rejected one less so.",
  settings: z.strictObject({
    description: descriptionSetting,
    responseTokens: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe("lls: tokens of each response that count, from its start."),
  }),
  needs: ["pairs", "checkpoint"],
  lacks: lacksDescription("lls"),
  describe: ({ responseTokens }) => ({
    formula: `what the description adds to log π(chosen) minus what it adds to log π(rejected), of ${responseTokens} tokens each at most, by their number`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: async ({ checkpoint: model, ...task }, { description = "", responseTokens }, work) => {
    const settings = [
      {
        model,
        prompt: ({ prompt }: { readonly prompt: readonly Message[] }) =>
          withSystem(prompt, description),
      },
      { model },
    ];
    const scores = (found: readonly SideLogprobs[]): readonly number[] => [score(found)];
    const { rankings, causes } = await scoreByLogprobs(
      task,
      { settings, responseTokens, scores },
      work,
    );
    return [{ scores: rankings[0]!, causes }]; // one was asked for
  },
});

function score([told, plain]: readonly SideLogprobs[]): number {
  const tokens = told!.chosenTokens + told!.rejectedTokens; // both settings are there
  return (told!.chosen - plain!.chosen - (told!.rejected - plain!.rejected)) / tokens;
}

function withSystem(prompt: readonly Message[], sentence: string): readonly Message[] {
  const [first, ...others] = prompt;
  if (first?.role !== "system") return [{ role: "system", content: sentence }, ...prompt];
  return [{ ...first, content: `${sentence}\n\n${first.content}` }, ...others];
}
