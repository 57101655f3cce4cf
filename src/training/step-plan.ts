import { hashText, mixBits } from "../util/mix-hash.ts";
/** @file Which examples each step takes. */
import type { ResolvedSettings } from "./resolve-settings.ts";

/** What of a run's settings decides it. */
interface StepPlanSettings extends Pick<
  ResolvedSettings,
  "epochs" | "batchSize" | "seed" | "shuffle"
> {
  readonly maxSteps: number | null | undefined;
}

export interface StepPlan {
  /** Optimiser steps of the run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Indices of the examples of a step (from 0); the last step of an epoch may have fewer. */
  examplesOf(step: number): readonly number[];
}

/**
 * Plans a run over examples with these ids. The order of an epoch follows from seed, epoch and each example's id alone: take some
 * examples out of the data and the others keep their order, so that arms over edited data differ by the edit.
 */
export function planSteps(ids: readonly string[], settings: StepPlanSettings): StepPlan {
  const { batchSize, epochs, maxSteps, seed, shuffle } = settings;
  const stepsPerEpoch = Math.ceil(ids.length / batchSize);
  const order = cachedOrder(ids, seed, shuffle);
  return {
    steps: Math.min(maxSteps ?? Infinity, stepsPerEpoch * epochs),
    stepsPerEpoch,
    examplesOf(step) {
      const start = (step % stepsPerEpoch) * batchSize;
      return order(Math.floor(step / stepsPerEpoch)).slice(start, start + batchSize);
    },
  };
}

/** Orders of epochs; the latest one is kept, since the steps of an epoch follow each other. */
function cachedOrder(
  ids: readonly string[],
  seed: number,
  shuffle: boolean,
): (epoch: number) => readonly number[] {
  let known: { epoch: number; order: readonly number[] } | undefined;
  return (epoch) => {
    if (known?.epoch !== epoch) {
      const order = shuffle ? epochOrder(ids, seed, epoch) : ids.map((_, i) => i);
      known = { epoch, order };
    }
    return known.order;
  };
}

/** The examples' indices in the order of one epoch (from 0). */
export function epochOrder(ids: readonly string[], seed: number, epoch: number): number[] {
  const salt = mixBits(mixBits(seed) ^ epoch);
  const keys = ids.map((id) => {
    const high = mixBits(hashText(id) ^ salt);
    const low = mixBits(hashText(id, 0x01000193) + salt);
    return high * 2 ** 20 + (low >>> 12); // 52 bits, exact in a double
  });
  return ids.map((_, i) => i).toSorted((a, b) => keys[a]! - keys[b]! || a - b);
}

interface ScheduleSettings extends Pick<ResolvedSettings, "schedule" | "learningRate"> {
  readonly warmupSteps: number;
  /** All steps of the run, warm-up included. */
  readonly steps: number;
}

/**
 * The learning rate of a step (from 0), as transformers' get_*_schedule_with_warmup: rising from 0 over the warm-up, so that its first
 * step changes nothing, then linear or half a cosine down to 0 at the step after the last, or constant.
 */
export function learningRateAt(
  step: number,
  { schedule, learningRate, warmupSteps, steps }: ScheduleSettings,
): number {
  if (step < warmupSteps) return learningRate * (step / Math.max(1, warmupSteps));
  const left = Math.max(1, steps - warmupSteps);
  switch (schedule) {
    case "linear":
      return learningRate * Math.max(0, (steps - step) / left);
    case "cosine":
      return (
        learningRate * Math.max(0, 0.5 * (1 + Math.cos((Math.PI * (step - warmupSteps)) / left)))
      );
    case "constant":
      return learningRate;
  }
}
