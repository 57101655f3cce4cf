import { join } from "node:path";

import type { EngineHost } from "../engine/engine-host.ts";
import { ENGINES } from "../engine/engines.ts";
import { writeScenarios } from "../rollouts/write-scenarios.ts";
import { type ExperimentResult, RESULT, TABLE_NAME } from "../runs/result.ts";
import type { RunManifest } from "../runs/run-manifest.ts";
import { expectWritable, makeFolder } from "../util/make-folder.ts";
import { type Progress, silentProgress } from "../util/progress.ts";
import { lockForWriting } from "../util/writer-lock.ts";
import { requireEdits } from "./arms.ts";
import { expectEndpoints } from "./endpoints.ts";
import { type ExperimentInputs, openInputs, type OpenInputsOptions } from "./open-inputs.ts";
import { expectOwnFolder } from "./own-folder.ts";
import { planExperiment } from "./plan-experiment.ts";
import { publishRanking, publishResult, retract } from "./publish.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import { findFinished, type FinishedStage, runStages } from "./run-stages.ts";
import { withWaits } from "./stage-order.ts";
import { openStageThreads, stagesAtOnce } from "./stage-threads.ts";
import { namedStages, type Stage, stageId, stagesUntil } from "./stage.ts";
import { headOf, isOfSameRun, startManifest } from "./write-manifest.ts";

export interface RunExperimentOptions extends OpenInputsOptions {
  /** The experiment's folder; made where it is not there. */
  readonly out: string;
  /** Runs only the stages of this kind or id and what they need. Default: all stages. */
  readonly until?: string | undefined;
  /** Stages, by id or kind, that are made again whatever is there. */
  readonly force?: readonly string[] | undefined;
  /** The result for people, which lies beside it as table.txt. Default: none does. */
  readonly table?: ((result: ExperimentResult) => string) | undefined;
  /** Where checkpoints may run. Default: all engines that there are. */
  readonly engines?: readonly EngineHost[] | undefined;
  /** A display for one part of a stage's work; see StagePlace. */
  readonly progress?: ((stage: Stage, place: StagePlace, unit: string) => Progress) | undefined;
  onStart?(stage: Stage, place: StagePlace): void;
  onFinish?(finished: FinishedStage, place: StagePlace): void;
}

/** Which of how many stages, from 1, and what is to come. */
export interface StagePlace {
  readonly position: number;
  readonly of: number;
  /** Stages that run side by side at most. */
  readonly atOnce: number;
  /** Those that have not begun. */
  readonly remaining: readonly Stage[];
}

/** What a run leaves behind. */
export interface ExperimentRun {
  readonly out: string;
  readonly stages: readonly FinishedStage[];
  readonly manifest: RunManifest;
  /** It was to make all stages. */
  readonly isWhole: boolean;
}

/**
 * Runs an experiment into `out`: every stage whose folder is not there yet, in order or, of a small
 * checkpoint, several side by side (engine.stages), which changes no file that counts. Killed at any moment and called again it goes on
 * and ends in the same files. Throws ConfigError for inputs that are missing or do not fit, RuntimeError where another process is
 * writing the folder.
 */
export async function runExperiment(
  file: ExperimentFile,
  options: RunExperimentOptions,
): Promise<ExperimentRun> {
  const { out, signal } = options;
  // Before inputs are downloaded and hashed.
  expectWritable(out);
  await expectOwnFolder(out, file.experiment.name);
  const inputs = await openInputs(file, options);
  const planned = planExperiment(file.experiment, inputs, options.verbs);
  const stages = stagesUntil(planned, options.until);
  const force = namedStages(stages, options.force ?? [], "force");
  await makeFolder(out);
  await using _lock = await lockForWriting(out, "this experiment");
  const head = headOf(file, inputs);
  if (force.size > 0 || !(await isOfSameRun(out, head))) await retract(out);
  const manifest = await startManifest(out, head, planned);
  // Also what this run will not come to: culprit status then knows of it.
  const known = await findFinished(unforced(planned, force), out);
  await manifest.finished(...known);
  await expectEndpoints(file.experiment, { out, stages, finished: known, force, signal });
  await showScenarios(out, file.experiment.scenarios === undefined ? {} : inputs);
  const { engine } = file.experiment;
  // Engines that a caller brings are not known to bear it.
  const wanted = options.engines ? 1 : stagesAtOnce({ engine, size: inputs.before.size });
  await using threads = openStageThreads(wanted);
  const atOnce = threads === undefined ? 1 : wanted;
  const toCome = new Set(stages.map(stageId));
  const placeOf = (position: number): StagePlace => ({
    position: position + 1,
    of: stages.length,
    atOnce,
    remaining: stages.filter((stage) => toCome.has(stageId(stage))),
  });
  const finished = await runStages(withWaits(stages), {
    out,
    force,
    atOnce,
    engines: threads === undefined ? options.engines : [threads, ...ENGINES.slice(1)],
    signal,
    progress: (stage, position, unit) =>
      options.progress?.(stage, placeOf(position), unit) ?? silentProgress,
    onStart: async (stage, position, directory) => {
      toCome.delete(stageId(stage));
      options.onStart?.(stage, placeOf(position));
      await manifest.started(stage, directory);
    },
    onFinish: async (stage, position) => {
      toCome.delete(stage.id);
      await manifest.finished(stage);
      if (stage.stage.kind === "audit") {
        await requireEdits(file.experiment, join(out, stage.directory));
      }
      options.onFinish?.(stage, placeOf(position));
    },
  });
  const others = planned.filter((stage) => !stages.includes(stage));
  const there = [...finished, ...(await findFinished(others, out, finished))];
  await manifest.finished(...there);
  await publishRanking(out, there);
  if (there.length < planned.length) await retract(out, [RESULT.name, TABLE_NAME]);
  else await publishResult(out, there, { experiment: file.experiment, inputs }, options.table);
  return {
    out,
    stages: finished,
    manifest: await manifest.end(),
    isWhole: others.length === 0,
  };
}

/** What was composed, for people: `scenarios.probe.jsonl` and `scenarios.evaluation.jsonl`. */
async function showScenarios(
  out: string,
  { probe, evaluate: evaluation }: Partial<Pick<ExperimentInputs, "probe" | "evaluate">>,
): Promise<void> {
  for (const [half, set] of Object.entries({ probe, evaluation })) {
    const name = `scenarios.${half}.jsonl`;
    if (set === undefined) await retract(out, [name]);
    else await writeScenarios(join(out, name), set.scenarios);
  }
}

/** Without the stages that are to be made again. */
const unforced = (stages: readonly Stage[], force: ReadonlySet<string>): readonly Stage[] =>
  stages.filter((stage) => !force.has(stageId(stage)));
