import { z } from "zod";

import type { Steering } from "../../engine/generation/steering.ts";
import { norm } from "../../util/vector.ts";
import { defineMethod, type Scored } from "../method.ts";
import { scoreByLogprobs, type SideLogprobs } from "../pair-logprobs.ts";
import { layersOfStates } from "../require-same-space.ts";

/**
 * [NLL(y⁺; M0) − NLL(y⁺; M0 + c·v)] − [NLL(y⁻; M0) − NLL(y⁻; M0 + c·v)]: how much likelier the chosen response becomes than the rejected one
 * when v, the behaviour's direction as long as the mean difference of after and before, is added c times to the residual stream wherever a
 * response token is predicted, as steered sampling does. With log-probabilities −6 of y⁺ and −5 of y⁻, steered −4 and −5.5: 2 − (−0.5) = 2.5. Our own; for small c it is c times the
 * derivative of the log-odds of the pair along v.
 */
export const steeredLikelihood = defineMethod({
  name: "steered-likelihood",
  meaning:
    "Steering with the behaviour's vector makes the chosen response likelier against the rejected one.",
  settings: z.strictObject({
    strength: z
      .number()
      .min(-1000)
      .max(1000)
      .default(1)
      .describe(
        "steered-likelihood: c, in lengths of the mean difference of after and before, as culprit steer has it.",
      ),
    per: z
      .enum(["response", "token"])
      .default("response")
      .describe(
        "steered-likelihood: response takes the log-probabilities of whole responses; token divides each by its tokens.",
      ),
  }),
  needs: ["pairs", "checkpoint", "behavior"],
  describe: ({ strength, per }) => ({
    formula: `what adding ${strength} v adds to log π(chosen) minus what it adds to log π(rejected)${per === "token" ? ", each by its tokens" : ""}`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: true },
  }),
  score: async ({ checkpoint: model, behavior, layers, ...task }, { strength, per }, work) => {
    const { identity } = model.engine;
    const wanted = behavior.wanted.flatMap((each) =>
      layersOfStates(identity, each, layers).map((layer) => ({ behavior: each, layer })),
    );
    const steerings = wanted.map(({ behavior: { directions, lengths }, layer }): Steering => {
      const direction = directions.get(layer)!; // layersOfStates
      const length = lengths?.get(layer);
      const scale = length === undefined ? 1 : length / norm(direction);
      return { kind: "add", layer, direction, strength: scale * strength };
    });
    const settings = [{ model }, ...steerings.map((steering) => ({ model, steering }))];
    const gain = per === "token" ? gainOfTokens : gainOfResponses;
    const { rankings, causes } = await scoreByLogprobs(
      task,
      {
        settings,
        rankings: wanted.length,
        scores: ([plain, ...steered]) => steered.map((each) => gain(plain!, each)), // plain went in first
      },
      work,
    );
    return wanted.map(({ behavior: { name, head }, layer }, i): Scored => ({
      behavior: name,
      layer,
      scores: rankings[i]!, // one for each steering
      causes,
      doubt: head.doubts[`${layer}`],
    }));
  },
});

const gainOfResponses = (plain: SideLogprobs, steered: SideLogprobs): number =>
  steered.chosen - plain.chosen - (steered.rejected - plain.rejected);

const gainOfTokens = (plain: SideLogprobs, steered: SideLogprobs): number =>
  (steered.chosen - plain.chosen) / plain.chosenTokens -
  (steered.rejected - plain.rejected) / plain.rejectedTokens;
