import { join } from "node:path";

import {
  CAPABILITY_MEASURES,
  type CapabilityMeasures,
  measureAnswers,
  measurePreferences,
  measureTasks,
} from "../../rates/measure-capabilities.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { LocalModel } from "../models.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import type { Stage, StageInput } from "../stage.ts";

/** Held-out preference accuracy, likelihood of good answers, and tasks, item by item. */
export function capabilitiesStage(
  model: LocalModel,
  { checkpoints, engine, sampling }: Experiment,
  { capabilities }: ExperimentInputs,
): Stage {
  const { pairs, answers, tasks, overRefusal } = capabilities;
  const { maxTokens } = sampling;
  return {
    kind: "capabilities",
    name: model.name,
    version: 1,
    settings: { maxTokens, template: checkpoints.template, engine },
    inputs: {
      model: model.input,
      ...contentInput("pairs", pairs?.contentHash),
      ...contentInput("answers", answers?.sha256),
      ...contentInput("tasks", tasks?.sha256),
      ...contentInput("overRefusal", overRefusal?.sha256),
    },
    run: async (work) => {
      const skipped = "stage" in model.input ? await readSkipped(work.input("model")) : undefined;
      if (skipped !== undefined) return writeSkipped(work.directory, skipped);
      await using opened = await model.open(work, "model");
      const job = {
        progress: work.progress("items"),
        signal: work.signal,
      };
      const found: CapabilityMeasures = {
        ...(pairs && { preferences: await measurePreferences(opened, pairs, job) }),
        ...(answers && { answers: await measureAnswers(opened, answers.path, job) }),
        ...(tasks && { tasks: await measureTasks(opened, tasks.path, { ...job, maxTokens }) }),
        ...(overRefusal && {
          overRefusal: await measureTasks(opened, overRefusal.path, { ...job, maxTokens }),
        }),
      };
      await CAPABILITY_MEASURES.write(join(work.directory, CAPABILITY_MEASURES.name), found);
    },
  };
}

function contentInput(name: string, content: string | undefined): Record<string, StageInput> {
  return content === undefined ? {} : { [name]: { content } };
}
