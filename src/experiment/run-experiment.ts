import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { EngineHost } from "../engine/engine-host.ts";
import { writeScenarios } from "../rollouts/write-scenarios.ts";
import { RESULT, TABLE_NAME } from "../runs/result.ts";
import type { RunManifest } from "../runs/run-manifest.ts";
import { describeWriteError, writeFileAtomic } from "../util/atomic-file.ts";
import { type Progress, silentProgress } from "../util/progress.ts";
import { lockForWriting } from "../util/writer-lock.ts";
import { rank } from "../verbs/rank.ts";
import { requireEdits } from "./arms.ts";
import { assembleResult } from "./assemble-result.ts";
import { type ExperimentInputs, openInputs, type OpenInputsOptions } from "./open-inputs.ts";
import { expectOwnFolder } from "./own-folder.ts";
import { planExperiment } from "./plan-experiment.ts";
import type { Planned } from "./plan-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import { findFinished, type FinishedStage, runStages } from "./run-stages.ts";
import { namedStages, type Stage, stageId, stagesUntil } from "./stage.ts";
import { startManifest } from "./write-manifest.ts";

export interface RunExperimentOptions extends OpenInputsOptions {
  /** The experiment's folder; made where it is not there. */
  readonly out: string;
  /** Runs only the stages of this kind or id and what they need. Default: all stages. */
  readonly until?: string | undefined;
  /** Stages, by id or kind, that are made again whatever is there. */
  readonly force?: readonly string[] | undefined;
  /** Where checkpoints may run. Default: all engines that there are. */
  readonly engines?: readonly EngineHost[] | undefined;
  /** A display for one part of a stage's work; see StagePlace. */
  readonly progress?: ((stage: Stage, place: StagePlace, unit: string) => Progress) | undefined;
  onStart?(stage: Stage, place: StagePlace): void;
  onFinish?(finished: FinishedStage, place: StagePlace): void;
}

/** Which of how many stages, from 1, and what comes after it. */
export interface StagePlace {
  readonly position: number;
  readonly of: number;
  readonly remaining: readonly Stage[];
}

/** What a run leaves behind. */
export interface ExperimentRun {
  readonly out: string;
  readonly stages: readonly FinishedStage[];
  readonly manifest: RunManifest;
  /** All stages are done, so that there is a result. */
  readonly isWhole: boolean;
}

/**
 * Runs an experiment into `out`: every stage whose folder is not there yet, in order. Killed at any moment and called again it goes on
 * and ends in the same files. Throws ConfigError for inputs that are missing or do not fit, RuntimeError where another process is
 * writing the folder.
 */
export async function runExperiment(
  file: ExperimentFile,
  options: RunExperimentOptions,
): Promise<ExperimentRun> {
  const { out, signal } = options;
  const inputs = await openInputs(file, options);
  const planned = planExperiment(file.experiment, inputs, options.verbs);
  const stages = stagesUntil(planned, options.until);
  const force = namedStages(stages, options.force ?? [], "force");
  await expectOwnFolder(out, file.experiment.name);
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw describeWriteError(out, error);
  }
  await using _lock = await lockForWriting(out, "this experiment");
  const manifest = await startManifest(out, file, inputs, planned);
  // Also what this run will not come to: culprit status then knows of it.
  await manifest.finished(...(await findFinished(unforced(planned, force), out)));
  if (file.experiment.scenarios !== undefined) await showScenarios(out, inputs);
  const placeOf = (position: number): StagePlace => ({
    position: position + 1,
    of: stages.length,
    remaining: stages.slice(position + 1),
  });
  const finished = await runStages(stages, {
    out,
    force,
    engines: options.engines,
    signal,
    progress: (stage, position, unit) =>
      options.progress?.(stage, placeOf(position), unit) ?? silentProgress,
    onStart: async (stage, position, directory) => {
      options.onStart?.(stage, placeOf(position));
      await manifest.started(stage, directory);
    },
    onFinish: async (stage, position) => {
      await manifest.finished(stage);
      if (stage.stage.kind === "audit") {
        await requireEdits(file.experiment, join(out, stage.directory));
      }
      options.onFinish?.(stage, placeOf(position));
    },
  });
  const others = planned.filter((stage) => !stages.includes(stage));
  await manifest.finished(...(await findFinished(others, out, finished)));
  const isWhole = stages.length === planned.length;
  await publish(out, finished, isWhole ? { experiment: file.experiment, inputs } : undefined);
  return { out, stages: finished, manifest: await manifest.end(), isWhole };
}

/** Puts what people look for into the experiment's own folder: the ranking, and the result where all stages are done. */
async function publish(
  out: string,
  stages: readonly FinishedStage[],
  whole: Planned | undefined,
): Promise<void> {
  const at = (id: string): string => {
    const found = stages.find((each) => each.id === id);
    if (found === undefined) throw new Error(`internal: no stage ${id}`);
    return join(out, found.directory);
  };
  const isAnew = stages.some(({ isCached }) => !isCached);
  const ranking = stages.find(({ stage }) => stage.kind === "rank");
  const name = rank.outputs.out.artifact.name;
  // What is there of other settings would be taken for this run's; where nothing was made anew it still is this run's.
  if (ranking !== undefined) {
    await writeFileAtomic(join(out, name), createReadStream(join(out, ranking.directory, name)));
  } else if (isAnew) await rm(join(out, name), { force: true });
  if (whole !== undefined) {
    return RESULT.write(join(out, RESULT.name), await assembleResult(whole, at));
  }
  if (!isAnew) return;
  for (const stale of [RESULT.name, TABLE_NAME]) await rm(join(out, stale), { force: true });
}

/** What was composed, for people: `scenarios.probe.jsonl` and `scenarios.evaluation.jsonl`. */
async function showScenarios(
  out: string,
  { probe, evaluate: evaluation }: Pick<ExperimentInputs, "probe" | "evaluate">,
): Promise<void> {
  for (const [half, set] of Object.entries({ probe, evaluation })) {
    if (set === undefined) continue;
    await writeScenarios(join(out, `scenarios.${half}.jsonl`), set.scenarios);
  }
}

/** Without the stages that are to be made again. */
const unforced = (stages: readonly Stage[], force: ReadonlySet<string>): readonly Stage[] =>
  stages.filter((stage) => !force.has(stageId(stage)));
