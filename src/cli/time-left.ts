import type { StagePlace } from "../experiment/run-experiment.ts";
import type { FinishedStage } from "../experiment/run-stages.ts";

/** How long the stages to come may take, asked whenever one has ended. */
export type TimeLeft = (finished: FinishedStage, place: StagePlace) => number | undefined;

/** Guesses that each stage to come takes as long as the mean of its kind, as many at a time as may be; undefined while a kind has not run yet, and at the end. */
export function createTimeLeft(): TimeLeft {
  const seconds = new Map<string, number[]>();
  return ({ record }, { remaining, atOnce }) => {
    seconds.set(record.kind, [...(seconds.get(record.kind) ?? []), record.cost.seconds]);
    let total = 0;
    for (const { kind } of remaining) {
      const known = seconds.get(kind);
      if (known === undefined) return undefined;
      total += known.reduce((sum, each) => sum + each, 0) / known.length;
    }
    return remaining.length === 0 ? undefined : total / atOnce;
  };
}
