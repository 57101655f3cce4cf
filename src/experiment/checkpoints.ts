/** @file The checkpoints of an experiment as verbs read them. */
import { findEngine } from "../engine/engines.ts";
import { type Checkpoint, checkpointAt } from "../verbs/inputs/checkpoint.ts";
import { engineOptions } from "./checkpoint-input.ts";
import type { CheckpointInput } from "./experiment-inputs.ts";
import type { Experiment } from "./schema.ts";
import type { BoundContent } from "./verb-stage.ts";

/** A checkpoint from outside; manifests call it `name`. */
export function givenCheckpoint(
  experiment: Pick<Experiment, "checkpoints" | "engine">,
  name: string,
  { folder, hash }: CheckpointInput,
): BoundContent<Checkpoint> {
  const { checkpoints, engine } = experiment;
  return {
    content: hash,
    settings: { template: checkpoints.template, engine },
    open: ({ engines }) =>
      checkpointAt(findEngine(engines, engine.kind), folder, engineOptions(experiment, name)),
  };
}
