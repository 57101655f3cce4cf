import { join } from "node:path";

import type { FinishedStage } from "./run-stages.ts";
import { type EstimatePlace, type Stage, stageId } from "./stage.ts";

/** A folder of an experiment as far as it is done. */
export interface DoneSoFar {
  /** The experiment's folder. */
  readonly out: string;
  readonly finished: readonly FinishedStage[];
  /** Ids of stages that are made again. */
  readonly force: ReadonlySet<string>;
}

/** Where the estimate of a stage finds what is there already. */
export function placeOf(stage: Stage, { out, finished, force }: DoneSoFar): EstimatePlace {
  return {
    input: (name) => {
      const given = stage.inputs[name];
      const from = given && "stage" in given ? given.stage : undefined;
      const found = finished.find(({ id }) => id === from);
      return found && join(out, found.directory);
    },
    cache: join(out, "cache"),
    isForced: force.has(stageId(stage)),
  };
}
