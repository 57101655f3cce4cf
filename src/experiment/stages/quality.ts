import { hashValue } from "../../util/hash.ts";
import { quality } from "../../verbs/quality.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";
import { verbStage } from "../verb-stage.ts";
import { methodStage } from "./rank.ts";

/** Holds the ranking by a method to the planted truth, which no stage before it has seen. */
export function qualityStage(
  experiment: Experiment,
  planted: readonly string[],
  method: string,
): Stage {
  return verbStage(quality, {
    kind: "quality",
    name: methodStage(experiment, "quality", method).slice("quality-".length),
    settings: quality.settings.parse({}),
    inputs: {
      ranking: { stage: methodStage(experiment, "rank", method) },
      planted: { content: hashValue(planted), open: () => new Set(planted) },
    },
    outputs: ["out"],
  });
}
