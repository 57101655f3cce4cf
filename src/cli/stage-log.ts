import type { RunExperimentOptions } from "../experiment/run-experiment.ts";
import { stageId } from "../experiment/stage.ts";
import { formatSeconds } from "../util/figures.ts";
import type { CommandContext } from "./command.ts";
import { createTimeLeft } from "./time-left.ts";

/** What a run tells on stderr: a line for each stage, a progress display inside it, and how long the rest may take. */
export function createStageLog(
  context: CommandContext,
): Required<Pick<RunExperimentOptions, "progress" | "onStart" | "onFinish">> {
  const timeLeft = createTimeLeft();
  return {
    onStart: (stage, { position, of }) => context.log(`[${position}/${of}] ${stageId(stage)}`),
    progress: (stage, { position, of }, unit) =>
      context.progress(`[${position}/${of}] ${stageId(stage)}`, unit),
    onFinish: (finished, place) => {
      const { id, record, isCached } = finished;
      const { position, of } = place;
      const left = timeLeft(finished, place);
      context.log(
        isCached
          ? `[${position}/${of}] ${id}: there already`
          : `[${position}/${of}] ${id}: ${formatSeconds(record.cost.seconds)}${left === undefined ? "" : `, about ${formatSeconds(left)} left`}`,
      );
    },
  };
}
