/** @file Runs the stages of an experiment in order, each only if its folder is not there yet; resumable at any moment. */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { describeWriteError } from "../util/atomic-file.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { type Progress, silentProgress } from "../util/progress.ts";
import { VERSION } from "../util/version.ts";
import { type Cost, NO_COST } from "./cost.ts";
import {
  hashOutputs,
  readRecord,
  readWorking,
  RECORD_NAME,
  type StageRecord,
  WORKING_NAME,
  writeRecord,
  writeWorking,
} from "./stage-record.ts";
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

export interface RunStagesOptions {
  /** The experiment's folder; it exists. */
  readonly out: string;
  /** Stages (ids) to make again whatever is there. */
  readonly force?: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
  /** A display for one part of a stage's work. */
  readonly progress?: (stage: Stage, position: number, unit: string) => Progress;
  /** `directory` is relative to `out`. */
  onStart?(stage: Stage, position: number, directory: string): Promise<void> | void;
  onFinish?(finished: FinishedStage, position: number): Promise<void> | void;
}

/** How often a running stage shows that it is alive. */
const HEARTBEAT_MS = 1000;
/** Digits of the hash in a folder's name. */
const KEY_DIGITS = 12;

/**
 * Runs the stages in the order given; a stage's inputs must stand before it. Each has the folder
 * `stages/<id>-<12 digits of its key>`; one that holds a `stage.json` is taken as it is.
 */
export async function runStages(
  stages: readonly Stage[],
  options: RunStagesOptions,
): Promise<readonly FinishedStage[]> {
  const done = new Map<string, FinishedStage>();
  for (const [position, stage] of stages.entries()) {
    options.signal?.throwIfAborted();
    const finished = await runStage(stage, position, done, options);
    done.set(finished.id, finished);
    await options.onFinish?.(finished, position);
  }
  return [...done.values()];
}

/** The folder (relative to the experiment's) and key of a stage, given what its inputs hold. */
export function locateStage(
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
  options: RunStagesOptions,
): Promise<FinishedStage> {
  const id = stageId(stage);
  const { directory, key, inputs } = locateStage(stage, done);
  const path = join(options.out, directory);
  const isForced = options.force?.has(id) === true;
  const known = isForced ? undefined : await readRecord(path);
  if (known !== undefined) return { stage, id, directory, record: known, isCached: true };

  await options.onStart?.(stage, position, directory);
  const before = await prepare(path, stage, isForced);
  const meter = await startMeter(path, before);
  try {
    await stage.run({
      directory: path,
      input: (name) => {
        const input = stage.inputs[name];
        if (input === undefined || "content" in input) {
          throw new Error(`internal: ${id} has no stage as its input ${name}`);
        }
        return join(options.out, finishedInput(stage, input.stage, done).directory);
      },
      cache: join(options.out, "cache"),
      signal: options.signal,
      progress: (unit) =>
        meter.watch(options.progress?.(stage, position, unit) ?? silentProgress, unit),
      cost: meter,
    });
  } finally {
    await meter.stop();
  }
  const { kind, name, version, settings } = stage;
  const files = await listOutputs(path, stage.asides ?? []);
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
    finishedAt: new Date().toISOString(),
    culpritVersion: VERSION,
  };
  await writeRecord(path, record);
  await rm(join(path, WORKING_NAME), { force: true });
  return { stage, id, directory, record, isCached: false };
}

/** Makes the folder ready; what was spent on it already. */
async function prepare(path: string, stage: Stage, isForced: boolean): Promise<Cost> {
  const working = isForced ? undefined : await readWorking(path);
  // A folder with a record is here only if files that it lists are gone: then nothing in it can be trusted.
  const isKept = stage.canResume === true && !isForced && !(await exists(join(path, RECORD_NAME)));
  if (!isKept) await rm(path, { recursive: true, force: true });
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw describeWriteError(path, error);
  }
  return working?.cost ?? NO_COST;
}

interface Meter {
  add: StageWork["cost"]["add"];
  /** The same display, of which the heartbeat sees the counts. */
  watch(progress: Progress, unit: string): Progress;
  total(): Cost;
  stop(): Promise<void>;
}

/** Counts a stage's cost, and writes it down every second so that a killed attempt counts too. */
async function startMeter(path: string, before: Cost): Promise<Meter> {
  const startMs = performance.now();
  let { tokens, flops } = before;
  let shown: { unit: string; done?: number; total?: number } | undefined;
  const shows: Progress[] = [];
  const total = (): Cost => ({
    seconds: before.seconds + (performance.now() - startMs) / 1000,
    tokens,
    flops,
  });
  const beat = (): Promise<void> =>
    writeWorking(path, {
      pid: process.pid,
      cost: total(),
      updatedAt: new Date().toISOString(),
      ...shown,
    });
  await beat();
  // One write at a time; a disk that fills up shows in the stage's own files.
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(beat).catch(() => {});
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    add: (count, flopsPerToken) => {
      tokens += count;
      flops += count * flopsPerToken;
    },
    watch: (progress, unit) => {
      shows.push(progress);
      return {
        ...progress,
        update: (done, of) => {
          shown = { unit, done, ...(of === undefined ? {} : { total: of }) };
          progress.update(done, of);
        },
      };
    },
    total,
    stop: async () => {
      clearInterval(timer);
      for (const each of shows) each.end();
      await writing.then(beat).catch(() => {});
    },
  };
}

/** The files of a stage's folder that count, by name. */
async function listOutputs(path: string, asides: readonly string[]): Promise<StageRecord["files"]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(
      (name) =>
        name !== WORKING_NAME &&
        name !== RECORD_NAME &&
        !name.endsWith(".partial") &&
        !asides.some(
          (aside) =>
            name === aside || (/^[./]/.test(name.slice(aside.length)) && name.startsWith(aside)),
        ),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
  const files: { path: string; sha256: string; sizeBytes: number }[] = [];
  for (const name of names) {
    const file = join(path, name);
    files.push({ path: name, sha256: await hashFile(file), sizeBytes: (await stat(file)).size });
  }
  return files;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
