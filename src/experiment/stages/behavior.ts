import { stat } from "node:fs/promises";

import { NoUsablePairError, type ResponsePairs } from "../../pairs/response-pairs.ts";
import { behavior } from "../../verbs/behavior.ts";
import type { OpenWork } from "../../verbs/verb.ts";
import { givenCheckpoint } from "../checkpoints.ts";
import type { ExperimentInputs, FileInput } from "../experiment-inputs.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";
import { type Bound, type BoundStage, verbStage } from "../verb-stage.ts";
import { DRIFT_NAME } from "./filter.ts";

/** The behaviour file of the stage. */
export const BEHAVIOR_NAME = behavior.outputs.out.artifact.name;

/** The behaviour of the experiment, or an unrelated one: `unrelated` has the name of its stage and what it is called in results. */
export function behaviorStage(
  experiment: Experiment,
  inputs: ExperimentInputs,
  responses: Bound<ResponsePairs>,
  unrelated?: { readonly stage: string; readonly behavior: string; readonly isOptional: boolean },
): Stage {
  const { layers, ...settings } = experiment.behavior;
  const name = unrelated?.behavior ?? experiment.behavior.name;
  return verbStage(behavior, {
    kind: "behavior",
    name: unrelated?.stage,
    settings: { ...settings, layers, name },
    inputs: {
      responses,
      checkpoint: givenCheckpoint(experiment, "before", inputs.before),
      orthogonalToBehavior: undefined,
    },
    // A control that cannot be had does not end a run: what it would have been held to is said in the result.
    skipsOn: (error) =>
      unrelated?.isOptional === true && error instanceof NoUsablePairError
        ? error.message
        : undefined,
  });
}

const NO_PAIRS =
  "no rollouts of both checkpoints to one prompt that differ and do not show the behaviour";

/** Response pairs of the filter that do not show the behaviour. Throws NoUsablePairError where it found none. */
export const boundDrift: BoundStage<ResponsePairs> = {
  stage: "filter",
  artifact: DRIFT_NAME,
  open: async (path, work) => {
    if ((await stat(path)).size === 0) throw new NoUsablePairError(NO_PAIRS);
    return behavior.inputs.responses.open([path], {}, work);
  },
};

/** Response pairs from outside. */
export const boundResponses = ({ path, sha256 }: FileInput): Bound<ResponsePairs> => ({
  content: sha256,
  open: (work: OpenWork) => behavior.inputs.responses.open([path], {}, work),
});
