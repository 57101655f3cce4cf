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
import { pairsOrShare } from "./common.ts";

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
  sample: pairsOrShare
    .optional()
    .describe(
      "Trains on this many of the examples alone, or this share, drawn by seed. Absent: all.",
    ),
  batchTokens: count
    .optional()
    .describe(
      "Tokens of one run of the training graph, at most; less needs less memory and differs by rounding only. Absent: 1024.",
    ),
  dtype: z.enum(CHECKPOINT_DTYPES).default("F32").describe("How weights are written."),
  saveEvery: count
    .optional()
    .describe(
      "Steps between checkpoints on the way, OUT/checkpoint-N. Absent: there are none, or with keepStates one an epoch.",
    ),
  keepCheckpoints: count.optional().describe("How many of these stay, the latest. Absent: all."),
  keepStates: z
    .boolean()
    .default(false)
    .describe(
      "Keeps the optimiser's moments in these checkpoints, and both of the last step: what the methods tracin and less read.",
    ),
  stateEvery: count.optional().meta({
    description: "Steps between states to resume from. Absent: as often as costs 1% of the time.",
    counts: false,
  }),
});
