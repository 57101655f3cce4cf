/** @file The saved states of a training run, as gradients along it need them. */
import { join } from "node:path";

import { openSafetensors } from "../format/safetensors.ts";
import { STATE_NAME } from "./trainer-state.ts";
import type { TrainerSettings } from "./trainer.ts";

/** A training run whose states were kept. */
export interface TrainingStates {
  /** Of the checkpoint that it started from. */
  readonly checkpointHash: string;
  /** Over the weights and moments of all states. */
  readonly hash: string;
  readonly settings: Pick<TrainerSettings, "objective" | "adaptation" | "beta1" | "beta2">;
  /** In rising order of steps, one at least. */
  readonly states: readonly TrainingState[];
}

export interface TrainingState {
  /** Optimiser steps taken. */
  readonly step: number;
  /** Mean learning rate of the steps since the state before. */
  readonly rate: number;
  /** With the file of the state, see Trainer.saveState. */
  readonly folder: string;
}

/** What is read along a run: what training on each example, a preference pair, does, or the gradients of responses. */
export interface AlongRun {
  readonly run: TrainingStates;
  readonly reads: "pairs" | "responses";
}

/** Weights and moments of a state by name; see firstMomentName. */
export async function readState({
  folder,
}: TrainingState): Promise<ReadonlyMap<string, Float32Array>> {
  await using file = await openSafetensors(join(folder, STATE_NAME));
  const arrays = new Map<string, Float32Array>();
  for (const name of file.tensors.keys()) {
    const bytes = await file.readBytes(name);
    arrays.set(name, new Float32Array(bytes.slice().buffer)); // aligned
  }
  return arrays;
}
