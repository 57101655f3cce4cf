/** @file `run.json`: what a run was told, with which versions, and what every stage cost. Times are here, never in results. */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { join } from "node:path";

import { z } from "zod";

import { addCosts, type PricedCost, pricedCostSchema, withMoney } from "../engine/cost.ts";
import { countSchema, jsonArtifact, type Plain } from "../util/artifact.ts";
import { hashValue } from "../util/hash.ts";
import { VERSION } from "../util/version.ts";
import type { ExperimentInputs } from "./open-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import type { FinishedStage } from "./run-stages.ts";
import { type Stage, stageId } from "./stage.ts";

const manifestStageSchema = z.strictObject({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  /** Relative to the experiment's folder; absent until the stage has begun. */
  directory: z.string().optional(),
  /** Absent until the stage is done. */
  cost: pricedCostSchema.optional(),
  isCached: z.boolean().optional(),
});
/** One stage in the manifest. */
export type ManifestStage = Plain<typeof manifestStageSchema>;

/** In the experiment's folder. */
export const RUN = jsonArtifact(
  "run.json",
  "the manifest of a run",
  z.strictObject({
    format: z.literal("culprit-run"),
    name: z.string(),
    experimentFile: z.string(),
    experimentSha256: z.string(),
    /** With all defaults; paths as the file has them. An earlier version's has other settings. */
    experiment: z.looseObject({
      cost: z.looseObject({ pricePerHour: z.number().optional(), currency: z.string() }),
    }),
    inputs: z.record(z.string(), z.string()),
    software: z.record(z.string(), z.string()),
    machine: z.strictObject({ cpu: z.string(), cores: countSchema }),
    startedAt: z.string(),
    finishedAt: z.string().optional(),
    stages: z.array(manifestStageSchema),
    total: pricedCostSchema,
  }),
);
export type RunManifest = z.output<typeof RUN.schema>;

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
    await RUN.write(join(out, RUN.name), manifest);
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
