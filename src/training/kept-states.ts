/** @file Opens a finished training run for gradients along it. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { STATE_NAME } from "../engine/trainer-state.ts";
import type { TrainingState, TrainingStates } from "../engine/training-states.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { warmupSteps } from "./resolve-settings.ts";
import {
  checkpointName,
  checkpointSteps,
  TRAIN_MANIFEST,
  type TrainManifest,
} from "./run-folder.ts";
import { learningRateAt } from "./step-plan.ts";

/** A run, and whether it learned anything. */
export interface KeptStates extends TrainingStates {
  /** Of the last tenth of the steps: share of pairs whose chosen response gained more than the rejected one. */
  readonly accuracy: number | undefined;
}

/**
 * Opens the folder of a run that kept its states. Throws ConfigError where it is none, is unfinished, kept none or was no DPO run, whose
 * loss on single pairs is what such gradients are of.
 */
export async function openKeptStates(folder: string): Promise<KeptStates> {
  const again = "culprit train --keep-states --save-every N makes one.";
  if (!existsSync(join(folder, TRAIN_MANIFEST.name))) {
    throw new ConfigError(
      `${folder}: expected the folder of a training run, got no ${TRAIN_MANIFEST.name}`,
      {
        hint: again,
      },
    );
  }
  const manifest = await TRAIN_MANIFEST.read(join(folder, TRAIN_MANIFEST.name));
  const { method, settings, start, result } = manifest;
  if (result === null) {
    throw new ConfigError(`${folder}: expected a finished training run, got one that is not`, {
      hint: "Give its culprit train again: it goes on where it was.",
    });
  }
  if (method.kind !== "dpo") {
    throw new ConfigError(`${folder}: expected a run of dpo, got one of ${method.kind}`, {
      hint: "What a pair does in training is the gradient of its DPO loss.",
    });
  }
  const steps = (await checkpointSteps(folder)).filter((step) =>
    existsSync(join(folder, checkpointName(step), STATE_NAME)),
  );
  if (steps.length === 0) {
    throw new ConfigError(
      `${folder}: expected a training run that kept its states, got one without`,
      {
        hint: again,
      },
    );
  }
  const states = steps.map((step, i): TrainingState => ({
    step,
    rate: meanRate(manifest, result.steps, [steps[i - 1] ?? 0, step]),
    folder: join(folder, checkpointName(step)),
  }));
  const files = await Promise.all(states.map((state) => hashFile(join(state.folder, STATE_NAME))));
  return {
    checkpointHash: start.checkpointHash,
    hash: hashValue([files, method, settings.adaptation, settings.beta1, settings.beta2]),
    settings: { ...settings, objective: method },
    states,
    accuracy: result.final["accuracy"],
  };
}

/** Over the steps from `first` (from 0) up to before `end`. */
function meanRate(
  { settings }: TrainManifest,
  steps: number,
  [first, end]: readonly [number, number],
): number {
  const schedule = { ...settings, warmupSteps: warmupSteps(settings, steps), steps };
  let sum = 0;
  for (let step = first; step < end; step++) sum += learningRateAt(step, schedule);
  return sum / (end - first);
}
