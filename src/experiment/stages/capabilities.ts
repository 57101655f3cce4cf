import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type CapabilityMeasure,
  measureAnswers,
  measurePreferences,
  measureTasks,
} from "../../rates/measure-capabilities.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { LocalModel } from "../models.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import type { Stage, StageInput } from "../stage.ts";

const CAPABILITIES_NAME = "capabilities.json";

/** What is measured beside the behaviour. */
export const CAPABILITIES = ["preferences", "answers", "tasks", "overRefusal"] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** `capabilities.json` of a stage; a measure is absent where the experiment names no file for it. */
export type Capabilities = { readonly [C in Capability]?: CapabilityMeasure };

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
      const found: Capabilities = {
        ...(pairs && { preferences: await measurePreferences(opened, pairs, job) }),
        ...(answers && { answers: await measureAnswers(opened, answers.path, job) }),
        ...(tasks && { tasks: await measureTasks(opened, tasks.path, { ...job, maxTokens }) }),
        ...(overRefusal && {
          overRefusal: await measureTasks(opened, overRefusal.path, { ...job, maxTokens }),
        }),
      };
      const path = join(work.directory, CAPABILITIES_NAME);
      await writeFileAtomic(path, `${JSON.stringify(found)}\n`);
    },
  };
}

/** Reads the measures of a finished stage. */
export async function readCapabilities(directory: string): Promise<Capabilities> {
  // Our own file, hashed when it was written.
  return JSON.parse(await readFile(join(directory, CAPABILITIES_NAME), "utf8")) as Capabilities;
}

function contentInput(name: string, content: string | undefined): Record<string, StageInput> {
  return content === undefined ? {} : { [name]: { content } };
}
