/** @file The checkpoints of an experiment as stages read them: given ones, and ones that earlier stages have trained. */
import { join } from "node:path";

import { answererName } from "../endpoint/answer-key.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/local-host.ts";
import { hashValue } from "../util/hash.ts";
import { engineOptions } from "./checkpoint-input.ts";
import type { CheckpointInput, ExperimentInputs } from "./experiment-inputs.ts";
import type { EndpointInput } from "./open-asker.ts";
import type { EndpointSettings } from "./schema-judge.ts";
import type { Experiment } from "./schema.ts";
import type { StageInput, StageWork } from "./stage.ts";

/** Folder of a training stage that holds the checkpoint or adapter. */
export const CHECKPOINT_NAME = "checkpoint";

/** A checkpoint that is sampled and judged. */
export type Model = LocalModel | EndpointModel;

/** A checkpoint that stages name among their inputs. */
export interface LocalModel {
  readonly kind: "local";
  /** What it is called in results: before, after, or the arm. */
  readonly name: string;
  readonly input: StageInput;
  /** Opens it; `inputName` is what the stage calls this input. */
  open(work: StageWork, inputName: string): Promise<Engine>;
}

/** A checkpoint that somebody else serves: it can be sampled, and nothing else. */
export interface EndpointModel {
  readonly kind: "endpoint";
  readonly name: string;
  readonly input: StageInput;
  readonly endpoint: EndpointInput;
  readonly settings: EndpointSettings;
  /** Of its address and model's name. */
  readonly endpointHash: string;
}

/** A checkpoint from outside. */
export function givenModel(
  experiment: Experiment,
  name: string,
  checkpoint: CheckpointInput,
): LocalModel {
  return {
    kind: "local",
    name,
    input: { content: checkpoint.hash },
    open: () => openEngine(checkpoint.folder, engineOptions(experiment, name)),
  };
}

/** What samples a given checkpoint: its endpoint where the experiment names one, else the checkpoint itself; undefined where there is neither. */
export function sampledModel(
  experiment: Experiment,
  inputs: ExperimentInputs,
  name: "before" | "after",
): Model | undefined {
  const endpoint = inputs.endpoints[name];
  if (endpoint !== undefined) {
    const { settings } = endpoint;
    const endpointHash = hashValue(answererName(settings));
    return {
      kind: "endpoint",
      name,
      input: { content: endpointHash },
      endpoint,
      settings,
      endpointHash,
    };
  }
  const checkpoint = inputs[name];
  return checkpoint && givenModel(experiment, name, checkpoint);
}

/** What a training stage has made: a checkpoint, or an adapter to the checkpoint before. */
export function trainedModel(
  experiment: Experiment,
  inputs: ExperimentInputs,
  name: string,
  stage: string,
): LocalModel {
  const isAdapter = experiment.training?.lora !== undefined;
  return {
    kind: "local",
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
