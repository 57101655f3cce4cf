import { join } from "node:path";

import { applyEdit } from "../../edit/apply-edit.ts";
import { type Edit, EDIT } from "../../edit/edit.ts";
import type { PairSource, TrainPair } from "../../training/examples.ts";
import { RUN_FILES } from "../../training/run-folder.ts";
import type { DpoSettings, TrainRequest } from "../../training/settings.ts";
import { trainDpo } from "../../training/train.ts";
import { BASELINE } from "../arms.ts";
import { engineOptions } from "../checkpoint-input.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { CHECKPOINT_NAME } from "../models.ts";
import type { Experiment } from "../schema.ts";
import { writeSkipped } from "../skipped.ts";
import type { Stage, StageWork } from "../stage.ts";

/** What is trained on: all pairs, or what the edit of a stage leaves of them. */
export interface TrainPlan {
  readonly seed: number;
  /** The arm's name and the stage of its edit; absent: all pairs. */
  readonly edited?: { readonly arm: string; readonly stage: string };
}

/** Trains the checkpoint before on all pairs (`train`) or on edited ones (`retrain`). An edit of no pairs trains nothing. */
export function trainStage(
  experiment: Experiment,
  inputs: ExperimentInputs,
  { seed, edited }: TrainPlan,
): Stage {
  const { training, checkpoints, engine } = experiment;
  if (training === undefined) throw new Error("internal: nothing says how to train");
  // The other seeds and the size of a batch's parts do not change what this one gives.
  const { seeds: _seeds, ...settings } = training;
  return {
    kind: edited === undefined ? "train" : "retrain",
    name: `${edited?.arm ?? BASELINE}-seed${seed}`,
    version: 1,
    settings: { ...settings, seed, template: checkpoints.template, engine },
    inputs: {
      before: { content: inputs.before.hash },
      pairs: { content: inputs.pairs.contentHash },
      ...(edited === undefined ? {} : { edit: { stage: edited.stage } }),
    },
    // Times, paths of this machine, and what only resuming needs.
    asides: Object.values(RUN_FILES).map((name) => `${CHECKPOINT_NAME}/${name}`),
    canResume: true,
    run: async (work) => {
      const edit =
        edited === undefined ? undefined : await EDIT.read(join(work.input("edit"), EDIT.name));
      if (edit?.ids.length === 0) {
        return writeSkipped(
          work.directory,
          "the edit takes no pairs, so there is nothing to compare",
        );
      }
      const pairs = edit === undefined ? inputs.pairs : await editedPairs(inputs, edit, work);
      const result = await trainDpo(
        pairs,
        dpoSettings(training, seed),
        trainRequest(experiment, inputs, work),
      );
      work.cost.add(result.tokens, result.tokens === 0 ? 0 : result.flops / result.tokens);
    },
  };
}

function dpoSettings(training: NonNullable<Experiment["training"]>, seed: number): DpoSettings {
  const { method: _method, lora, seeds: _seeds, batchTokens: _batchTokens, ...given } = training;
  return {
    ...given,
    seed,
    adaptation: lora === undefined ? undefined : { kind: "lora", ...lora },
  };
}

function trainRequest(
  experiment: Experiment,
  inputs: ExperimentInputs,
  { directory, cache, signal, progress }: StageWork,
): TrainRequest {
  const batchTokens = experiment.training?.batchTokens;
  return {
    checkpoint: inputs.before.folder,
    out: join(directory, CHECKPOINT_NAME),
    engine: {
      ...engineOptions(experiment, "before"),
      batchTokens,
    },
    referenceCache: join(cache, "reference-log-probabilities"),
    progress: progress("steps"),
    signal,
  };
}

async function editedPairs(
  { pairs }: ExperimentInputs,
  edit: Edit,
  { signal }: StageWork,
): Promise<PairSource> {
  const kept: TrainPair[] = [];
  for await (const row of applyEdit(pairs.read({ signal }), edit, pairs.shape)) {
    if (row.kind === "pair") kept.push(row);
  }
  return kept;
}
