import { z } from "zod";

import { count } from "../../util/setting-kinds.ts";
import { endpointSettings } from "../settings/endpoint.ts";
import { samplingSettings } from "../settings/sampling.ts";
import { type Contradiction, need } from "../verb.ts";

/** How responses are sampled, and how many. */
export const generateSettings = z.strictObject({
  rollouts: count.max(1_000_000).default(20).describe("Responses sampled for each prompt."),
  ...samplingSettings.shape,
  amplify: z
    .number()
    .min(-1000)
    .max(1000)
    .optional()
    .describe(
      "Adds so many times the difference of logits to the checkpoint before; -1 samples from that checkpoint. Absent: the checkpoint's own logits.",
    ),
  endpoint: endpointSettings
    .optional()
    .describe("Where the model is served. Absent: a checkpoint is sampled on this machine."),
});
export type GenerateSettings = z.output<typeof generateSettings>;

/** A checkpoint on this machine or an endpoint, and nothing that the other alone reads. */
export function wayContradictions(
  { endpoint, topK, stop, batch, amplify }: GenerateSettings,
  given: ReadonlySet<string>,
): readonly Contradiction[] {
  const isHere = given.has("checkpoint");
  if (isHere === (endpoint !== undefined)) {
    const got = isHere ? "both" : "neither";
    return [{ path: ["checkpoint"], message: `expected it or endpoint.baseUrl, got ${got}` }];
  }
  const isAmplified = given.has("amplifyBefore");
  const passedOver = isHere
    ? { answers: given.has("answers"), absent: given.has("absent") }
    : {
        topK: topK !== undefined,
        stop: stop !== undefined,
        batch: batch !== samplingSettings.shape.batch.parse(undefined),
        amplify: amplify !== undefined,
        amplifyBefore: isAmplified,
      };
  const message = isHere
    ? "expected none beside checkpoint: it belongs to endpoint.baseUrl"
    : "expected none beside endpoint.baseUrl, which does not take it";
  return [
    ...Object.entries(passedOver).flatMap(([name, is]) => need(!is, [name], message)),
    ...need(
      isAmplified || amplify === undefined,
      ["amplify"],
      "expected amplifyBefore beside it, got none",
    ),
    ...need(
      !isAmplified || amplify !== undefined,
      ["amplifyBefore"],
      "expected amplify beside it, got none",
    ),
  ];
}
