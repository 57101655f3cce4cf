/** @file Writes `run.json` while an experiment runs. */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { join } from "node:path";

import { withMoney } from "../engine/cost.ts";
import { type ManifestStage, RUN, type RunManifest, sumCosts } from "../runs/run-manifest.ts";
import { FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { VERSION } from "../util/version.ts";
import type { ExperimentInputs } from "./open-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import type { FinishedStage } from "./run-stages.ts";
import { type Stage, stageId } from "./stage.ts";

/** Keeps `run.json` up to date while an experiment runs. */
export interface ManifestWriter {
  started(stage: Stage, directory: string): Promise<void>;
  finished(...stages: readonly FinishedStage[]): Promise<void>;
  end(): Promise<RunManifest>;
}

/** What decides the files of a run: settings, contents of inputs, versions. */
type RunHead = Pick<
  RunManifest,
  "format" | "name" | "experimentFile" | "experimentSha256" | "experiment" | "inputs" | "software"
>;

export function headOf(
  { experiment, path, sha256 }: ExperimentFile,
  inputs: ExperimentInputs,
): RunHead {
  return {
    format: "culprit-run",
    name: experiment.name,
    experimentFile: path,
    experimentSha256: sha256,
    experiment,
    inputs: inputHashes(inputs),
    software: softwareVersions(),
  };
}

/** Whether what lies in `out` was left by a run of the same settings, inputs and versions; false where its manifest cannot be read. */
export async function isOfSameRun(out: string, head: RunHead): Promise<boolean> {
  const decisive = ({ experiment, inputs, software }: RunHead): string =>
    hashValue({ experiment, inputs, software });
  const left = await RUN.find(join(out, RUN.name)).catch((error: unknown) => {
    if (error instanceof FormatError) return undefined; // of another version, or damaged; about to be replaced
    throw error;
  });
  return left !== undefined && decisive(left) === decisive(head);
}

/** Writes the manifest of a run that begins. */
export async function startManifest(
  out: string,
  decided: RunHead,
  stages: readonly Stage[],
): Promise<ManifestWriter> {
  const { pricePerHour } = decided.experiment.cost;
  const listed = new Map<string, ManifestStage>(
    stages.map((stage) => {
      const id = stageId(stage);
      return [id, { id, kind: stage.kind, name: stage.name }];
    }),
  );
  const head = {
    ...decided,
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length },
    startedAt: new Date().toISOString(),
  };
  let finishedAt: string | undefined;
  const write = (): Promise<RunManifest> => {
    writing = writing.then(writeNow);
    return writing;
  };
  const writeNow = async (): Promise<RunManifest> => {
    const all = [...listed.values()];
    const manifest: RunManifest = {
      ...head,
      finishedAt,
      stages: all,
      total: sumCosts(all, pricePerHour),
    };
    await RUN.write(join(out, RUN.name), manifest);
    return manifest;
  };
  // Stages that run side by side end when they will: one write at a time.
  let writing = writeNow();
  await writing;
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

function inputHashes(inputs: ExperimentInputs): Record<string, string> {
  const { before, after, pairs, responses, nulls, rules, rubric, labels } = inputs;
  const { probe, evaluate, capabilities, further } = inputs;
  const hashes = {
    before: before.hash,
    after: after?.hash,
    pairs: pairs.contentHash,
    responses: responses?.sha256,
    ...Object.fromEntries(nulls.map((each, i) => [`null ${i + 1}`, each?.sha256])),
    rules: rules && hashValue(rules),
    rubric: rubric && hashValue(rubric),
    ...Object.fromEntries(
      Object.entries(labels).map(([stage, { sha256 }]) => [`labels ${stage}`, sha256]),
    ),
    probeScenarios: probe?.sha256,
    evaluationScenarios: evaluate?.sha256,
    capabilityPairs: capabilities.pairs?.contentHash,
    capabilityAnswers: capabilities.answers?.sha256,
    capabilityTasks: capabilities.tasks?.sha256,
    capabilityOverRefusal: capabilities.overRefusal?.sha256,
    ...Object.fromEntries(
      Object.entries(further).map(([setting, { sha256 }]) => [setting, sha256]),
    ),
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
