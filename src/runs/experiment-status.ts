import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { type PricedCost, withMoney } from "../engine/cost.ts";
import { ConfigError } from "../util/errors.ts";
import { isProcessAlive } from "../util/writer-lock.ts";
import { type ManifestStage, RUN, type RunManifest, sumCosts } from "./run-manifest.ts";
import { readRecord, type StageRecord, type StageWorking, WORKING } from "./stage-record.ts";

/** `failed`: an error ended it. `interrupted`: begun, and the process that did is gone; the next run goes on with it. */
type StageState = "done" | "running" | "interrupted" | "failed" | "missing";

/** One stage of an experiment as its folder shows it. */
export interface StageStatus
  extends ManifestStage, Partial<Omit<StageWorking, "pid" | "host" | "cost">> {
  readonly state: StageState;
}

export interface ExperimentStatus {
  readonly out: string;
  readonly manifest: RunManifest;
  readonly stages: readonly StageStatus[];
  /** Of all stages, those at work and interrupted ones included. */
  readonly total: PricedCost;
}

/** Reads how far an experiment is, without disturbing a run. Throws ConfigError where the folder holds none. */
export async function readExperimentStatus(out: string): Promise<ExperimentStatus> {
  const manifest = await RUN.find(join(out, RUN.name));
  if (manifest === undefined) throw await noExperiment(out);
  const stages: StageStatus[] = [];
  const { pricePerHour } = manifest.experiment.cost;
  for (const stage of manifest.stages) stages.push(await stageStatus(out, stage, pricePerHour));
  return { out, manifest, stages, total: sumCosts(stages, pricePerHour) };
}

async function noExperiment(out: string): Promise<ConfigError> {
  const found = await stat(out).catch(() => undefined);
  const other = found?.isDirectory() === true ? "one without run.json" : "a file";
  const got = found === undefined ? "no such folder" : other;
  return new ConfigError(`${out}: expected the folder of an experiment, got ${got}`, {
    hint: "culprit run makes such folders; --out names them, culprit-out/NAME without it.",
  });
}

async function stageStatus(
  out: string,
  stage: ManifestStage,
  pricePerHour: number | undefined,
): Promise<StageStatus> {
  if (stage.directory === undefined) return { ...stage, state: "missing" };
  const directory = join(out, stage.directory);
  // A kill may have come before the manifest had it.
  const done = ({ cost }: StageRecord): StageStatus => {
    return { ...stage, cost: withMoney(cost, pricePerHour), state: "done" };
  };
  const record = await readRecord(directory);
  if (record !== undefined) return done(record);
  const working = await WORKING.find(join(directory, WORKING.name));
  if (working === undefined) {
    // It may have come to its end between the two looks.
    const late = await readRecord(directory);
    return late === undefined ? { ...stage, state: "missing" } : done(late);
  }
  const { cost, pid: _pid, host: _host, ...shown } = working;
  const atWork = isAlive(working) ? "running" : "interrupted";
  return {
    ...stage,
    ...shown,
    cost: withMoney(cost, pricePerHour),
    state: shown.failure === undefined ? atWork : "failed",
  };
}

/** A second's beat that is a minute old is of a process that is gone, or of a machine that hangs. */
const SILENT_MS = 60_000;

/** A process of another machine, on a shared folder, cannot be asked: it is there while it gives signs of life. */
function isAlive({ pid, host, updatedAt }: StageWorking): boolean {
  if (host === hostname()) return isProcessAlive(pid);
  return Date.now() - Date.parse(updatedAt) < SILENT_MS;
}
