/** @file Runs the stages of an experiment, each only if its folder is not there yet; resumable at any moment. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { type Cost, NO_COST } from "../engine/cost.ts";
import {
  hashOutputs,
  listStageOutputs,
  readEarlierCost,
  readRecord,
  RECORD,
  type StageRecord,
  WORKING,
} from "../runs/stage-record.ts";
import { FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { makeFolder } from "../util/make-folder.ts";
import { type Progress, silentProgress } from "../util/progress.ts";
import { VERSION } from "../util/version.ts";
import { MachineTime, startStageMeter } from "./stage-meter.ts";
import { type Stage, stageId, type StageWork } from "./stage.ts";

/** A stage that is done. */
export interface FinishedStage {
  readonly stage: Stage;
  readonly id: string;
  /** Its folder, relative to the experiment's. */
  readonly directory: string;
  readonly record: StageRecord;
  /** It was there already. */
  readonly isCached: boolean;
}

interface RunStagesOptions extends Partial<Pick<StageWork, "engines" | "signal">> {
  /** The experiment's folder; it exists. */
  readonly out: string;
  /** Stages that run side by side at most. One that asks an endpoint, and so mostly waits, runs beside them. Default 1: in order. */
  readonly atOnce?: number | undefined;
  /** Stages (ids) to make again whatever is there. */
  readonly force?: ReadonlySet<string> | undefined;
  /** A display for one part of a stage's work. */
  readonly progress?: ((stage: Stage, position: number, unit: string) => Progress) | undefined;
  /** `directory` is relative to `out`. */
  onStart?(stage: Stage, position: number, directory: string): Promise<void> | void;
  onFinish?(finished: FinishedStage, position: number): Promise<void> | void;
}

/** Digits of the hash in a folder's name. */
const KEY_DIGITS = 12;

/**
 * Runs the stages, and gives them back in the order given; a stage's inputs must stand before it. A stage starts when its inputs are done
 * and there is room, the first of the order first. Each has the folder `stages/<id>-<12 digits of its key>`; one that holds a
 * `stage.json` is taken as it is. An error of one stage stops those beside it, which go on in the next run, and is thrown.
 */
export async function runStages(
  stages: readonly Stage[],
  options: RunStagesOptions,
): Promise<readonly FinishedStage[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const machine = new MachineTime();
  const done = new Map<string, FinishedStage>();
  const waiting = new Set(stages.entries());
  const running = new Map<Stage, Promise<Stage>>();
  const run = async (stage: Stage, position: number): Promise<Stage> => {
    const finished = await runStage(stage, position, done, { ...options, signal, machine });
    done.set(finished.id, finished);
    await options.onFinish?.(finished, position);
    return stage;
  };
  const isWaiting = (id: string): boolean =>
    [...waiting].some(([, stage]) => stageId(stage) === id) ||
    [...running.keys()].some((stage) => stageId(stage) === id);
  try {
    while (waiting.size + running.size > 0) {
      signal.throwIfAborted();
      for (const entry of waiting) {
        const [position, stage] = entry;
        if (!hasRoom(stage, [...running.keys()], options.atOnce)) continue;
        if (waitsFor(stage).some(isWaiting)) continue;
        waiting.delete(entry);
        running.set(stage, run(stage, position));
      }
      if (running.size === 0) throw new Error("internal: stages wait for each other");
      running.delete(await Promise.race(running.values()));
    }
  } catch (error) {
    failed.abort();
    await Promise.allSettled(running.values());
    throw error;
  }
  return stages.map((stage) => done.get(stageId(stage))!); // all of them ended
}

/** What must have ended before a stage begins. */
function waitsFor({ inputs, after = [] }: Stage): readonly string[] {
  return [
    ...Object.values(inputs).flatMap((input) => ("stage" in input ? [input.stage] : [])),
    ...after,
  ];
}

/**
 * Whether a stage may start beside those at work. Those that ask endpoints run one at a time: they share stores of answers, and an
 * endpoint is asked as many questions at a time as the user allows.
 */
function hasRoom(stage: Stage, running: readonly Stage[], atOnce = 1): boolean {
  if (atOnce === 1) return running.length === 0;
  const asking = running.filter(({ estimate }) => estimate !== undefined).length;
  return stage.estimate === undefined ? running.length - asking < atOnce : asking === 0;
}

/** The folder (relative to the experiment's) and key of a stage, given what its inputs hold. */
function locateStage(
  stage: Stage,
  done: ReadonlyMap<string, FinishedStage>,
): { readonly directory: string; readonly key: string; readonly inputs: Record<string, string> } {
  const inputs = Object.fromEntries(
    Object.entries(stage.inputs).map(([name, input]) => [
      name,
      "content" in input
        ? input.content
        : finishedInput(stage, input.stage, done).record.outputHash,
    ]),
  );
  const { kind, version, settings } = stage;
  const key = hashValue({ kind, version, settings, inputs });
  return {
    directory: join("stages", `${stageId(stage)}-${key.slice(0, KEY_DIGITS)}`),
    key,
    inputs,
  };
}

/** Stages that are done already, of those whose inputs are: what a run would take as it is. `from` are done too. */
export async function findFinished(
  stages: readonly Stage[],
  out: string,
  from: readonly FinishedStage[] = [],
): Promise<readonly FinishedStage[]> {
  const done = new Map(from.map((each) => [each.id, each]));
  const found: FinishedStage[] = [];
  for (const stage of stages) {
    const inputs = Object.values(stage.inputs);
    if (!inputs.every((input) => "content" in input || done.has(input.stage))) continue;
    const { directory } = locateStage(stage, done);
    const record = await readRecord(join(out, directory));
    if (record === undefined) continue;
    const finished = { stage, id: stageId(stage), directory, record, isCached: true };
    done.set(finished.id, finished);
    found.push(finished);
  }
  return found;
}

function finishedInput(
  stage: Stage,
  id: string,
  done: ReadonlyMap<string, FinishedStage>,
): FinishedStage {
  const found = done.get(id);
  if (found === undefined) throw new Error(`internal: ${stageId(stage)} stands before ${id}`);
  return found;
}

async function runStage(
  stage: Stage,
  position: number,
  done: ReadonlyMap<string, FinishedStage>,
  options: RunStagesOptions & { readonly machine: MachineTime },
): Promise<FinishedStage> {
  const id = stageId(stage);
  const { directory, key, inputs } = locateStage(stage, done);
  const path = join(options.out, directory);
  const isForced = options.force?.has(id) === true;
  const known = isForced ? undefined : await readRecord(path);
  if (known !== undefined) return { stage, id, directory, record: known, isCached: true };

  await options.onStart?.(stage, position, directory);
  const before = await prepare(path, stage, isForced);
  const meter = await startStageMeter(path, before, options.machine);
  let failure: Error | undefined;
  let shown: string | void;
  try {
    shown = await stage.run({
      directory: path,
      input: (name) => {
        const input = stage.inputs[name];
        if (input === undefined || "content" in input) {
          throw new Error(`internal: ${id} has no stage as its input ${name}`);
        }
        return join(options.out, finishedInput(stage, input.stage, done).directory);
      },
      cache: join(options.out, "cache"),
      isForced,
      engines: options.engines,
      signal: options.signal,
      progress: (unit) =>
        meter.watch(options.progress?.(stage, position, unit) ?? silentProgress, unit),
      cost: meter,
    });
  } catch (error) {
    if (error instanceof Error && options.signal?.aborted !== true) failure = error;
    throw error;
  } finally {
    await meter.stop(failure);
  }
  const { kind, name, version, settings } = stage;
  const files = await listStageOutputs(path, stage.asides ?? []);
  const record: StageRecord = {
    format: "culprit-stage",
    kind,
    name,
    version,
    key,
    settings,
    inputs,
    outputHash: hashOutputs(files),
    files,
    cost: meter.total(),
    shown: shown ?? undefined,
    finishedAt: new Date().toISOString(),
    culpritVersion: VERSION,
  };
  await RECORD.write(join(path, RECORD.name), record);
  await rm(join(path, WORKING.name), { force: true });
  return { stage, id, directory, record, isCached: false };
}

/** Makes the folder ready; what was spent on it already. */
async function prepare(path: string, stage: Stage, isForced: boolean): Promise<Cost> {
  const earlier = await readEarlierCost(path).catch(ignoreDamage);
  const before = isForced ? { ...NO_COST, endpoint: earlier.endpoint } : earlier;
  // A folder with a record is here only if files that it lists are gone: then nothing in it can be trusted.
  const isKept = stage.canResume === true && !isForced && !existsSync(join(path, RECORD.name));
  if (!isKept) await rm(path, { recursive: true, force: true });
  await makeFolder(path);
  return before;
}

/** What made a file unreadable is about to be removed with it. */
function ignoreDamage(error: unknown): Cost {
  if (error instanceof FormatError) return NO_COST;
  throw error;
}
