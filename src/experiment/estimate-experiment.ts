import { placeOf } from "./estimate-place.ts";
import { openInputs, type OpenInputsOptions } from "./open-inputs.ts";
import { planExperiment } from "./plan-experiment.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import { findFinished } from "./run-stages.ts";
import { type AskingEstimate, namedStages, stageId } from "./stage.ts";

/** What one stage would ask an endpoint. */
export interface StageEstimate extends AskingEstimate {
  readonly id: string;
}

/** What an experiment would still ask endpoints. */
export interface ExperimentEstimate {
  /** Stages that ask and are not done. */
  readonly stages: readonly StageEstimate[];
  /** Stages that ask and are done. */
  readonly done: readonly string[];
  readonly currency: string;
}

/**
 * Estimates requests, tokens and money of the stages that ask endpoints, asking nothing and writing nothing. Responses that are not
 * sampled yet count at their greatest length, so the figures are upper bounds, requests that have to be repeated aside.
 */
export async function estimateExperiment(
  file: ExperimentFile,
  options: OpenInputsOptions & {
    readonly out: string;
    readonly force?: readonly string[] | undefined;
  },
): Promise<ExperimentEstimate> {
  const { out } = options;
  const stages = planExperiment(file.experiment, await openInputs(file, options), options.verbs);
  const forced = namedStages(stages, options.force ?? [], "force");
  const done = await findFinished(stages, out);
  const finished = new Set(done.map(({ id }) => id));
  const isDone = (id: string): boolean => finished.has(id) && !forced.has(id);
  const asking = stages.filter(({ estimate }) => estimate !== undefined);
  const estimates: StageEstimate[] = [];
  for (const stage of asking.filter((each) => !isDone(stageId(each)))) {
    const estimate = await stage.estimate!(placeOf(stage, { out, finished: done, force: forced })); // filtered by it
    estimates.push({ id: stageId(stage), ...estimate });
  }
  return {
    stages: estimates,
    done: asking.map(stageId).filter(isDone),
    currency: file.experiment.cost.currency,
  };
}
