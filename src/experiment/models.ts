/** @file The checkpoints of an experiment as stages read them: given ones, and ones that earlier stages have trained. */
import { join } from "node:path";

import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/open-engine.ts";
import { engineOptions } from "./checkpoint-input.ts";
import type { CheckpointInput, ExperimentInputs } from "./experiment-inputs.ts";
import type { Experiment } from "./schema.ts";
import type { StageInput, StageWork } from "./stage.ts";

/** Folder of a training stage that holds the checkpoint or adapter. */
export const CHECKPOINT_NAME = "checkpoint";

/** A checkpoint that stages name among their inputs. */
export interface Model {
  /** What it is called in results: before, after, or the arm. */
  readonly name: string;
  readonly input: StageInput;
  /** Opens it; `inputName` is what the stage calls this input. */
  open(work: StageWork, inputName: string): Promise<Engine>;
}

/** A checkpoint from outside. */
export function givenModel(
  experiment: Experiment,
  name: string,
  checkpoint: CheckpointInput,
): Model {
  return {
    name,
    input: { content: checkpoint.hash },
    open: () => openEngine(checkpoint.folder, engineOptions(experiment, name)),
  };
}

/** What a training stage has made: a checkpoint, or an adapter to the checkpoint before. */
export function trainedModel(
  experiment: Experiment,
  inputs: ExperimentInputs,
  name: string,
  stage: string,
): Model {
  const isAdapter = experiment.training?.lora !== undefined;
  return {
    name,
    input: { stage },
    open: (work, inputName) => {
      const folder = join(work.input(inputName), CHECKPOINT_NAME);
      const options = engineOptions(experiment, name);
      return isAdapter
        ? openEngine(inputs.before.folder, { ...options, adapter: folder })
        : openEngine(folder, options);
    },
  };
}
