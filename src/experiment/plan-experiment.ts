import { ConfigError } from "../util/errors.ts";
import type { ExperimentInputs } from "./open-inputs.ts";
import type { Experiment } from "./schema.ts";
import type { Stage } from "./stage.ts";
import { auditStage } from "./stages/audit.ts";
import { behaviorStage } from "./stages/behavior.ts";
import { embedStage } from "./stages/embed.ts";
import { rankStage } from "./stages/rank.ts";

/** The stages of an experiment in the order in which they run, inputs before what reads them. */
export function planExperiment(experiment: Experiment, inputs: ExperimentInputs): readonly Stage[] {
  const { responses } = inputs;
  if (responses === undefined) throw new ConfigError("responses: is missing");
  return [
    auditStage(experiment, inputs),
    embedStage(experiment, inputs),
    behaviorStage(experiment, inputs, {
      input: { content: responses.sha256 },
      path: () => responses.path,
    }),
    rankStage(experiment),
  ];
}
