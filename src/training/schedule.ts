import type { Schedule } from "./settings.ts";

export interface ScheduleSettings {
  readonly schedule: Schedule;
  readonly learningRate: number;
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
