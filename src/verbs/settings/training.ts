import { z } from "zod";

import {
  CHECKPOINT_DTYPES,
  learningRate,
  loraSettings,
  ofDpo,
  ofSft,
  ofSteps,
} from "../../training/settings.ts";
import { count } from "../../util/setting-kinds.ts";

/** How a checkpoint is trained. */
export const trainingSettings = z.strictObject({
  method: z
    .enum(["dpo", "sft"])
    .default("dpo")
    .describe("Direct preference optimisation, or supervised fine-tuning."),
  learningRate,
  ...ofDpo,
  ...ofSft,
  lora: loraSettings
    .optional()
    .describe("Trains low-rank factors, an adapter, instead of every weight."),
  ...ofSteps,
  batchTokens: count
    .optional()
    .describe(
      "Tokens of one run of the training graph, at most; less needs less memory and differs by rounding only. Absent: 1024.",
    ),
  dtype: z.enum(CHECKPOINT_DTYPES).default("F32").describe("How weights are written."),
  saveEvery: count
    .optional()
    .describe("Steps between checkpoints on the way, OUT/checkpoint-N. Absent: there are none."),
  keepCheckpoints: count.optional().describe("How many of these stay, the latest. Absent: all."),
  stateEvery: count.optional().meta({
    description: "Steps between states to resume from. Absent: as often as costs 1% of the time.",
    counts: false,
  }),
});
