import { join } from "node:path";

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
  const finished = new Map(done.map((each) => [each.id, each]));
  const isDone = (id: string): boolean => finished.has(id) && !forced.has(id);
  const asking = stages.filter(({ estimate }) => estimate !== undefined);
  const estimates: StageEstimate[] = [];
  for (const stage of asking.filter((each) => !isDone(stageId(each)))) {
    const input = (name: string): string | undefined => {
      const given = stage.inputs[name];
      const found = given && "stage" in given ? finished.get(given.stage) : undefined;
      return found && join(out, found.directory);
    };
    const estimate = await stage.estimate!({
      // filtered by it
      input,
      cache: join(out, "cache"),
      isForced: forced.has(stageId(stage)),
    });
    estimates.push({ id: stageId(stage), ...estimate });
  }
  return {
    stages: estimates,
    done: asking.map(stageId).filter(isDone),
    currency: file.experiment.cost.currency,
  };
}
