import { conditions } from "../../verbs/conditions.ts";
import { DRIFT } from "../schema-attribution.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";
import { verbStage } from "../verb-stage.ts";

/** The response pairs that the filter found, those of the drift null, and what was kept and why. */
export const RESPONSES_NAME = conditions.outputs.out.artifact.name;
export const DRIFT_NAME = conditions.outputs.nullOut.artifact.name;
export const CONDITIONS_NAME = conditions.outputs.report.artifact.name;

/** The four-condition filter. */
export function filterStage({ probe, attribution }: Experiment): Stage {
  if (probe === undefined) throw new Error("internal: no probe to filter");
  const { plain, trigger, minJudged, maxPairs } = probe;
  return verbStage(conditions, {
    kind: "filter",
    settings: { plain, trigger, minJudged, maxPairs },
    inputs: {
      beforeVerdicts: { stage: "judge-before" },
      afterVerdicts: { stage: "judge-after" },
      before: { stage: "rollouts-before" },
      after: { stage: "rollouts-after" },
    },
    outputs: [
      "out",
      "report",
      ...(attribution.nulls.includes(DRIFT) ? (["nullOut"] as const) : []),
    ],
  });
}
