import type { RunExperimentOptions } from "../experiment/run-experiment.ts";
import type { FinishedStage } from "../experiment/run-stages.ts";
import { stageId } from "../experiment/stage.ts";
import { formatSeconds } from "../util/figures.ts";
import type { CommandContext } from "./command.ts";

/** What a run tells on stderr: a line for each stage, a progress display inside it, and how long the rest may take. */
export function createStageLog(
  context: CommandContext,
): Required<Pick<RunExperimentOptions, "progress" | "onStart" | "onFinish">> {
  /** Seconds of the stages made so far, by kind: the best guess for the ones to come. */
  const seconds = new Map<string, number[]>();
  return {
    onStart: (stage, { position, of }) => context.log(`[${position}/${of}] ${stageId(stage)}`),
    progress: (stage, { position, of }, unit) =>
      context.progress(`[${position}/${of}] ${stageId(stage)}`, unit),
    onFinish: (finished, { position, of, remaining }) => {
      const { id, record, isCached } = finished;
      const known = seconds.get(record.kind) ?? [];
      seconds.set(record.kind, [...known, record.cost.seconds]);
      const left = estimate(remaining, seconds);
      context.log(
        isCached
          ? `[${position}/${of}] ${id}: there already`
          : `[${position}/${of}] ${id}: ${formatSeconds(record.cost.seconds)}${left === undefined ? "" : `, about ${formatSeconds(left)} left`}`,
      );
    },
  };
}

/** The sum over the stages to come, each as long as the mean of its kind; undefined while a kind has not run yet. */
function estimate(
  remaining: readonly FinishedStage["stage"][],
  seconds: ReadonlyMap<string, readonly number[]>,
): number | undefined {
  let total = 0;
  for (const { kind } of remaining) {
    const known = seconds.get(kind);
    if (known === undefined) return undefined;
    total += known.reduce((sum, each) => sum + each, 0) / known.length;
  }
  return remaining.length === 0 ? undefined : total;
}
