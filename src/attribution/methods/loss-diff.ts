import { z } from "zod";

import { percent } from "../../util/figures.ts";
import { betaSetting } from "../beta-setting.ts";
import { defineMethod, type MethodWork, type Scored } from "../method.ts";
import { scoreByLogprobs, type SideLogprobs } from "../pair-logprobs.ts";
import type { ScoringModel } from "../scoring-model.ts";
import { type TrainedModel, trainOnResponses } from "../train-on-responses.ts";

/** A loss on its own pairs above this share of where it began: the training did not learn. */
const LEARNT = 0.9;

/**
 * LossDiff: ℓ(M0; d) − ℓ(M; d) (arXiv 2510.13212), M the checkpoint M0 trained by DPO on the behaviour's response pairs (after chosen over
 * before), ℓ the DPO loss with M0 as its reference: ln 2 + ln σ(β m), m = [log π_M(y⁺) − log π_M0(y⁺)] − [log π_M(y⁻) − log π_M0(y⁻)]. It
 * grows with m alone, up to ln 2. With m = 2, β = 0.1: 0.693 + ln σ(0.2) = 0.693 − 0.598 = 0.095.
 */
export const lossDiff = defineMethod({
  name: "loss-diff",
  meaning: "Training on the behaviour's response pairs lowers the pair's own loss.",
  settings: z.strictObject({
    beta: betaSetting,
    rank: z
      .int()
      .min(0)
      .max(4096)
      .default(16)
      .describe("loss-diff: rank of the low-rank factors that are trained; 0 trains every weight."),
    learningRate: z
      .number()
      .min(1e-9)
      .max(1)
      .default(5e-4)
      .describe("loss-diff: the highest learning rate, reached after a tenth of the steps."),
    epochs: z
      .int()
      .min(1)
      .max(1000)
      .default(5)
      .describe("loss-diff: passes over the response pairs."),
    batchSize: z
      .int()
      .min(1)
      .max(10_000)
      .default(16)
      .describe("loss-diff: response pairs of one step."),
  }),
  needs: ["pairs", "responses", "checkpoint"],
  trains: true,
  describe: ({ beta }) => ({
    formula: `how far training on the behaviour's response pairs lowers the pair's DPO loss (β ${beta})`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: async ({ checkpoint, responses, ...task }, settings, work) => {
    const { beta, rank, ...steps } = settings;
    const how = {
      ...steps,
      beta,
      adaptation: rank === 0 ? ({ kind: "full" } as const) : ({ kind: "lora", rank } as const),
    };
    await using trained = await trainOnResponses(checkpoint, responses.pairs, how, work);
    const { tokens, flops } = trained.result;
    work.count({ tokens, flops });
    const models = [checkpoint, trained.model].map((model) => ({ model }));
    const scores = ([before, after]: readonly SideLogprobs[]): readonly number[] => [
      Math.LN2 - lossOf(before!, after!, beta), // two models
    ];
    const found = await scoreByLogprobs(task, { settings: models, scores }, work);
    const said = await describeTraining(trained, checkpoint, beta, work);
    return [{ scores: found.rankings[0]!, causes: found.causes, ...said }]; // one ranking
  },
});

/** −ln σ(β m). */
function lossOf(before: SideLogprobs, after: SideLogprobs, beta: number): number {
  const margin = after.chosen - before.chosen - (after.rejected - before.rejected);
  return Math.log1p(Math.exp(-Math.abs(beta * margin))) + Math.max(0, -beta * margin);
}

/** How the response pairs themselves do after training on them. */
async function describeTraining(
  { model, pairs, leftOut }: TrainedModel,
  checkpoint: ScoringModel,
  beta: number,
  { signal, count }: MethodWork,
): Promise<Pick<Scored, "remarks" | "warnings" | "figures">> {
  const ids = pairs.map((_, i) => `${i}`);
  const rows = {
    ids,
    rows: Int32Array.from(ids, Number),
    lengths: new Int32Array(3 * ids.length),
    columns: {},
  };
  const own = {
    async *read() {
      for (const [row, pair] of pairs.entries()) {
        const place = { row, file: "responses", fileRow: row };
        yield { kind: "pair" as const, ...pair, id: ids[row]!, ...place, columns: {} };
      }
    },
  };
  let [loss, right, told] = [0, 0, 0];
  const look = ([before, after]: readonly SideLogprobs[]): readonly number[] => {
    const each = lossOf(before!, after!, beta); // two models
    told++;
    loss += each;
    if (each < Math.LN2) right++;
    return [each];
  };
  const settings = [checkpoint, model].map((each) => ({ model: each }));
  await scoreByLogprobs({ rows, pairs: own }, { settings, scores: look }, { signal, count });
  const trainLoss = loss / told; // the training had a pair
  const trainAccuracy = right / told;
  const sentence = `Training on ${told} response pairs took their loss from ${Math.LN2.toFixed(3)} to ${trainLoss.toFixed(3)}; ${percent(trainAccuracy)} of them are preferred more than before.`;
  const hasLearnt = trainLoss < LEARNT * Math.LN2;
  return {
    remarks: leftOut === "" ? [sentence] : [sentence, leftOut],
    warnings: hasLearnt
      ? []
      : [
          `the training did not learn, so that the scores say little: ${sentence} Raise the learning rate or the epochs`,
        ],
    figures: { trainLoss, trainAccuracy },
  };
}
