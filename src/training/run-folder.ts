/** @file The folder of a run: what it says of itself, whose it is, and what may be written into it. */
import { existsSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import { z } from "zod";

import type { EngineIdentity } from "../engine/engine.ts";
import { STATE_NAME } from "../engine/trainer-state.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { firstDifference } from "../util/first-difference.ts";
import { VERSION } from "../util/version.ts";
import type { Method, ResolvedSettings } from "./resolve-settings.ts";
import type { CheckpointDtype } from "./settings.ts";
import type { TrainResult } from "./train-result.ts";

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

/** What `train.json` says; all but names for people, files and software must be equal for a run to be gone on with. */
export interface TrainManifest {
  readonly format: "culprit-training";
  readonly version: 1;
  readonly method: Method;
  readonly settings: ResolvedSettings;
  readonly dtype: CheckpointDtype;
  readonly start: Pick<
    EngineIdentity,
    "name" | "checkpointHash" | "tokenizerHash" | "templateHash" | "family"
  > & { readonly trainedNumbers: number };
  readonly data: {
    readonly hash: string;
    readonly examples: number;
    readonly truncated: number;
    readonly unusable: number;
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  };
  /** What may change rounding; null: the default. */
  readonly execution: {
    readonly device: string | null;
    readonly threads: number | null;
    readonly batchTokens: number | null;
  };
  readonly software: { readonly name: "culprit"; readonly version: string };
  /** null while the run is unfinished. */
  readonly result: TrainResult | null;
}

const manifestSchema = z.looseObject({
  format: z.literal("culprit-training"),
  version: z.literal(1),
  result: z.looseObject({ steps: z.number() }).nullable(),
});

/** A manifest of this version. */
export function createTrainManifest(
  parts: Omit<TrainManifest, "format" | "version" | "software" | "result">,
): TrainManifest {
  return {
    format: "culprit-training",
    version: 1,
    ...parts,
    software: { name: "culprit", version: VERSION },
    result: null,
  };
}

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
  { startDir, force }: { readonly startDir: string; readonly force: boolean },
): Promise<TrainResult | null> {
  if (resolve(out) === resolve(startDir)) {
    throw new ConfigError(`${out}: is the start checkpoint itself`, {
      hint: "Choose another folder for the run.",
    });
  }
  if (force) await clearRun(out);
  const path = join(out, RUN_FILES.manifest);
  if (!existsSync(path)) {
    await expectNoCheckpoint(out);
    await writeManifest(out, manifest);
    return null;
  }
  const found = await readManifest(path);
  requireSameRun(out, found, manifest);
  return found.result;
}

/** Writes `train.json`. */
export async function writeManifest(out: string, manifest: TrainManifest): Promise<void> {
  await writeFileAtomic(
    join(out, RUN_FILES.manifest),
    `${JSON.stringify(manifest, undefined, 2)}\n`,
  );
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
  await mkdir(partial);
  await write(partial);
  await rm(final, { recursive: true, force: true });
  await rename(partial, final);
}

async function readManifest(path: string): Promise<TrainManifest> {
  const text = await readFile(path, "utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${path}: not valid JSON`, { cause });
  }
  if (!manifestSchema.safeParse(json).success) {
    throw new FormatError(`${path}: expected the manifest of a training run`, {
      hint: "Choose another folder, or replace what is there with --force.",
    });
  }
  return json as TrainManifest; // the rest is compared with the wanted one field by field
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
