import { audit } from "../../verbs/audit.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { boundPairs } from "../pair-inputs.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";
import { verbStage } from "../verb-stage.ts";

/** What is in the pairs, before any compute, and the list of unusable rows. */
export function auditStage(_experiment: Experiment, { pairs }: ExperimentInputs): Stage {
  return verbStage(audit, {
    kind: "audit",
    settings: {},
    inputs: { pairs: boundPairs(pairs), checkpoint: undefined },
    outputs: ["out", "unusable"],
  });
}
