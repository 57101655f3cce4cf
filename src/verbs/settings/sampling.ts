import { z } from "zod";

import { count, nonNegative, positive, seed, nonEmpty } from "../../util/setting-kinds.ts";
import { type Contradiction, need } from "../verb.ts";

/** How responses are sampled. */
export const samplingSettings = z.strictObject({
  temperature: nonNegative
    .default(0.7)
    .describe("Logits are divided by it; 0 takes the likeliest token each time."),
  topK: count.optional().describe("Samples from the k likeliest tokens only. Absent: all."),
  topP: positive
    .max(1)
    .default(1)
    .describe("Samples from the likeliest tokens that together have this probability only."),
  maxTokens: count.default(256).describe("Tokens of one response, at most."),
  stop: z.array(nonEmpty).optional().meta({
    description:
      "Further tokens that end a response, as the tokenizer spells them. Absent: those of the checkpoint alone.",
    placeholder: "TOKEN",
    isWhole: true,
  }),
  seed: seed.default(0).describe("Seed of the sampling."),
  batch: count
    .max(4096)
    .default(32)
    .describe(
      "Responses that are sampled side by side; less needs less memory. Rounding differs with it, so results depend on it.",
    ),
});
export type SamplingSettings = z.output<typeof samplingSettings>;

/** The likeliest token leaves nothing to choose from. */
export function samplingContradictions(
  { temperature, topK, topP }: SamplingSettings,
  at: readonly string[] = [],
): readonly Contradiction[] {
  return need(
    temperature > 0 || (topK === undefined && topP === 1),
    [...at, topK === undefined ? "topP" : "topK"],
    "means nothing beside a temperature of 0, which takes the likeliest token",
  );
}
