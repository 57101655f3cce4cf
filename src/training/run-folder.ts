/** @file The folder of a run: what it says of itself, whose it is, and what may be written into it. */
import { existsSync, statSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import { z } from "zod";

import { STATE_NAME } from "../engine/trainer-state.ts";
import { countSchema, jsonArtifact } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { firstDifference } from "../util/first-difference.ts";
import { makeFolder } from "../util/make-folder.ts";
import { type TrainResult, trainResultSchema } from "./metrics.ts";
import { methodSchema, resolvedSettingsSchema } from "./resolve-settings.ts";
import { CHECKPOINT_DTYPES, type TrainRequest } from "./settings.ts";

/** Names in a run's folder. */
export const RUN_FILES = {
  manifest: "train.json",
  metrics: "metrics.jsonl",
  state: STATE_NAME,
  unusable: "unusable.jsonl",
  referenceCache: "reference-cache",
} as const;

/** Folder of the checkpoint after a step. */
export const checkpointName = (step: number): string => `checkpoint-${step}`;
const CHECKPOINT_NAME = /^checkpoint-(\d+)(?:\.partial)?$/;

/** What a run says of itself; all but names for people, files and software must be equal for a run to be gone on with. */
export const TRAIN_MANIFEST = jsonArtifact(
  "train.json",
  "the manifest of a training run",
  z.strictObject({
    format: z.literal("culprit-training"),
    version: z.literal(1),
    method: methodSchema,
    settings: resolvedSettingsSchema,
    dtype: z.enum(CHECKPOINT_DTYPES),
    start: z.strictObject({
      name: z.string(),
      checkpointHash: z.string(),
      tokenizerHash: z.string(),
      templateHash: z.string(),
      family: z.string(),
      trainedNumbers: countSchema,
    }),
    data: z.strictObject({
      hash: z.string(),
      examples: countSchema,
      truncated: countSchema,
      unusable: countSchema,
      files: z.array(z.strictObject({ path: z.string(), sha256: z.string() })),
    }),
    /** What may change rounding; null: the default. */
    execution: z.strictObject({
      device: z.string().nullable(),
      threads: countSchema.nullable(),
      batchTokens: countSchema.nullable(),
    }),
    software: z.strictObject({ name: z.literal("culprit"), version: z.string() }),
    /** null while the run is unfinished. */
    result: trainResultSchema.nullable(),
  }),
  { hint: "Choose another folder, or replace what is there with --force." },
);
export type TrainManifest = z.output<typeof TRAIN_MANIFEST.schema>;

/** Throws ConfigError where the folder of a run would take the place of a file. */
export function expectFolder(out: string): void {
  if (statSync(out, { throwIfNoEntry: false })?.isDirectory() ?? true) return;
  throw new ConfigError(`out: expected a folder, ${out} is a file`, {
    hint: "Choose another folder for the run.",
  });
}

/**
 * Makes the folder ready for a run: new, or the same run begun earlier, whose result is returned where it is finished. Throws
 * ConfigError where the folder holds another run or a checkpoint (unless `force`, which removes those), or is the start checkpoint itself.
 */
export async function openRunFolder(
  out: string,
  manifest: TrainManifest,
  { checkpoint, force = false }: Pick<TrainRequest, "checkpoint" | "force">,
): Promise<TrainResult | null> {
  if (resolve(out) === resolve(checkpoint)) {
    throw new ConfigError(`${out}: is the start checkpoint itself`, {
      hint: "Choose another folder for the run.",
    });
  }
  if (force) await clearRun(out);
  const path = join(out, RUN_FILES.manifest);
  if (!existsSync(path)) {
    await expectNoCheckpoint(out);
    await TRAIN_MANIFEST.write(path, manifest);
    return null;
  }
  const found = await TRAIN_MANIFEST.read(path);
  requireSameRun(out, found, manifest);
  return found.result;
}

/** The steps after which the folder holds checkpoints, rising. */
export async function checkpointSteps(out: string): Promise<number[]> {
  const names = await readdir(out);
  return names
    .flatMap((name) => (name.endsWith(".partial") ? [] : [CHECKPOINT_NAME.exec(name)?.[1]]))
    .filter((step) => step !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** Writes a checkpoint folder, whole or not at all; one that is there is replaced. */
export async function writeCheckpoint(
  out: string,
  step: number,
  write: (dir: string) => Promise<void>,
): Promise<void> {
  const final = join(out, checkpointName(step));
  const partial = `${final}.partial`;
  await rm(partial, { recursive: true, force: true });
  await makeFolder(partial);
  await write(partial);
  await rm(final, { recursive: true, force: true });
  await rename(partial, final);
}

function requireSameRun(out: string, found: TrainManifest, wanted: TrainManifest): void {
  const difference = firstDifference(comparable(found), comparable(wanted));
  if (difference === undefined) return;
  const hint =
    "Use the settings of that run, choose another folder, or replace the run with --force.";
  throw new ConfigError(
    difference.path === "data.hash"
      ? `${out}: holds a run over other data`
      : `${out}: holds a run with ${difference.path} ${difference.a}, now it is ${difference.b}`,
    { hint },
  );
}

function comparable(manifest: TrainManifest): unknown {
  const { name: _name, ...start } = manifest.start;
  const { files: _files, ...data } = manifest.data;
  const { method, settings, dtype, execution } = manifest;
  // The data's hash last: a setting that changes it is named by itself.
  return { method, settings, dtype, start, execution, data };
}

const OWN_FILES = [
  "adapter_config.json",
  "adapter_model.safetensors",
  "config.json",
  "model.safetensors",
  "model.safetensors.index.json",
];

async function expectNoCheckpoint(out: string): Promise<void> {
  const found = OWN_FILES.find((name) => existsSync(join(out, name)));
  if (found === undefined) return;
  throw new ConfigError(
    `${out}: holds a checkpoint (${found}) that no run of culprit train wrote`,
    {
      hint: "Choose another folder.",
    },
  );
}

/** Removes what an earlier run wrote; without its manifest nothing is ours to remove. The reference cache stays. */
async function clearRun(out: string): Promise<void> {
  if (!existsSync(join(out, RUN_FILES.manifest))) return;
  const { manifest, metrics, state, unusable } = RUN_FILES;
  const checkpoints = (await readdir(out)).filter((name) => CHECKPOINT_NAME.test(name));
  for (const name of [...checkpoints, ...OWN_FILES, metrics, state, unusable, manifest]) {
    await rm(join(out, name), { recursive: true, force: true });
  }
}
