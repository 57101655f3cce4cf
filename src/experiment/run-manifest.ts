/** @file `run.json`: what a run was told, with which versions, and what every stage cost. Times are here, never in results. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { join } from "node:path";

import { addCosts, type PricedCost, withMoney } from "../engine/cost.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { FormatError } from "../util/errors.ts";
import { VERSION } from "../util/version.ts";
import type { ExperimentInputs } from "./experiment-inputs.ts";
import { hashJudge } from "./judge-input.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import type { FinishedStage } from "./run-stages.ts";
import type { Experiment } from "./schema.ts";
import { type Stage, stageId, type StageKind } from "./stage.ts";

export const MANIFEST_NAME = "run.json";

/** One stage in the manifest. */
export interface ManifestStage {
  readonly id: string;
  readonly kind: StageKind;
  readonly name: string;
  /** Relative to the experiment's folder; absent until the stage has begun. */
  readonly directory?: string | undefined;
  /** Absent until the stage is done. */
  readonly cost?: PricedCost | undefined;
  readonly isCached?: boolean | undefined;
}

/** The content of `run.json`. */
export interface RunManifest {
  readonly format: "culprit-run";
  readonly name: string;
  readonly experimentFile: string;
  readonly experimentSha256: string;
  /** With all defaults; paths as the file has them. */
  readonly experiment: Experiment;
  readonly inputs: Readonly<Record<string, string>>;
  readonly software: Readonly<Record<string, string>>;
  readonly machine: { readonly cpu: string; readonly cores: number };
  readonly startedAt: string;
  readonly finishedAt?: string | undefined;
  readonly stages: readonly ManifestStage[];
  readonly total: PricedCost;
}

/** What the stages took together, as far as they have begun. */
export function sumCosts(
  stages: readonly Pick<ManifestStage, "cost">[],
  pricePerHour: number | undefined,
): PricedCost {
  const costs = stages.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
  return withMoney(addCosts(costs), pricePerHour);
}

/** Keeps `run.json` up to date while an experiment runs. */
export interface ManifestWriter {
  started(stage: Stage, directory: string): Promise<void>;
  finished(...stages: readonly FinishedStage[]): Promise<void>;
  end(): Promise<RunManifest>;
}

/** Writes the manifest of a run that begins. */
export async function startManifest(
  out: string,
  file: ExperimentFile,
  inputs: ExperimentInputs,
  stages: readonly Stage[],
): Promise<ManifestWriter> {
  const { experiment } = file;
  const { pricePerHour } = experiment.cost;
  const listed = new Map<string, ManifestStage>(
    stages.map((stage) => {
      const id = stageId(stage);
      return [id, { id, kind: stage.kind, name: stage.name }];
    }),
  );
  const head = {
    format: "culprit-run",
    name: experiment.name,
    experimentFile: file.path,
    experimentSha256: file.sha256,
    experiment,
    inputs: inputHashes(inputs),
    software: softwareVersions(),
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length },
    startedAt: new Date().toISOString(),
  } as const;
  let finishedAt: string | undefined;
  const write = async (): Promise<RunManifest> => {
    const all = [...listed.values()];
    const manifest: RunManifest = {
      ...head,
      finishedAt,
      stages: all,
      total: sumCosts(all, pricePerHour),
    };
    await writeFileAtomic(join(out, MANIFEST_NAME), `${JSON.stringify(manifest, undefined, 2)}\n`);
    return manifest;
  };
  await write();
  return {
    started: async (stage, directory) => {
      const id = stageId(stage);
      const { kind, name } = stage;
      listed.set(id, { id, kind, name, directory });
      await write();
    },
    finished: async (...finished) => {
      for (const { id, directory, record, isCached } of finished) {
        const cost = withMoney(record.cost, pricePerHour);
        listed.set(id, { ...listed.get(id)!, directory, cost, isCached });
      }
      await write();
    },
    end: () => {
      finishedAt = new Date().toISOString();
      return write();
    },
  };
}

/** Reads `run.json` of an experiment's folder; undefined where there is none. */
export async function readManifest(out: string): Promise<RunManifest | undefined> {
  const path = join(out, MANIFEST_NAME);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as RunManifest; // checked by its format below
    if (value.format === "culprit-run") return value;
  } catch (error) {
    throw new FormatError(`${path}: expected JSON, got something else`, { cause: error });
  }
  throw new FormatError(`${path}: expected the manifest of a run, got something else`);
}

function inputHashes(inputs: ExperimentInputs): Record<string, string> {
  const { before, after, pairs, responses, nulls, judge, labels, probe, evaluation, capabilities } =
    inputs;
  const hashes = {
    before: before.hash,
    after: after?.hash,
    pairs: pairs.contentHash,
    responses: responses?.sha256,
    ...Object.fromEntries(nulls.map((each, i) => [`null ${i + 1}`, each?.sha256])),
    ...hashJudge(judge),
    ...Object.fromEntries(
      Object.entries(labels).map(([stage, { sha256 }]) => [`labels ${stage}`, sha256]),
    ),
    probeScenarios: probe?.sha256,
    evaluationScenarios: evaluation?.sha256,
    capabilityPairs: capabilities.pairs?.contentHash,
    capabilityAnswers: capabilities.answers?.sha256,
    capabilityTasks: capabilities.tasks?.sha256,
    capabilityOverRefusal: capabilities.overRefusal?.sha256,
  };
  return Object.fromEntries(
    Object.entries(hashes).filter((each): each is [string, string] => each[1] !== undefined),
  );
}

/** Versions that results may depend on. */
function softwareVersions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const version = (name: string): string =>
    (require(`${name}/package.json`) as { version: string }).version; // every package has one
  return {
    culprit: VERSION,
    node: process.version,
    "onnxruntime-node": version("onnxruntime-node"),
  };
}
