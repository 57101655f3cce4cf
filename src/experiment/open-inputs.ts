/** @file What an experiment reads from outside, opened and hashed before any stage runs. */
import { basename, dirname, relative, resolve, sep } from "node:path";

import type { ResolveRemote } from "../data/expand-patterns.ts";
import { type DataFile, openPairs, type PairSet } from "../data/open-pairs.ts";
import { localFolder } from "../engine/open-engine.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import { checkpointSize, type CheckpointSize, hashCheckpoint } from "./checkpoint-input.ts";
import type { ExperimentFile } from "./read-experiment.ts";

/** A checkpoint that the experiment starts from. */
export interface CheckpointInput {
  readonly folder: string;
  readonly hash: string;
  readonly size: CheckpointSize;
}

/** A file that a stage reads, by its content. */
export interface FileInput {
  readonly path: string;
  readonly sha256: string;
}

/** Everything from outside that the stages read. */
export interface ExperimentInputs {
  readonly before: CheckpointInput;
  readonly pairs: PairSet;
  readonly responses: FileInput | undefined;
}

export interface OpenInputsOptions {
  readonly resolveRemote?: ResolveRemote;
  /** Shows the download of `hf://` checkpoints. */
  readonly download?: JobOptions;
  readonly signal?: AbortSignal | undefined;
}

/** Opens and hashes an experiment's inputs. Throws ConfigError naming the setting whose file is missing. */
export async function openInputs(
  file: ExperimentFile,
  options: OpenInputsOptions = {},
): Promise<ExperimentInputs> {
  const { checkpoints, pairs, responses } = file.experiment;
  const opened = await inSetting("pairs.files", () =>
    openPairs(pairs.files.map(file.at), {
      shape: pairs.shape,
      sourceColumn: pairs.source,
      keepColumns: pairs.keep,
      limit: pairs.limit,
      resolveRemote: options.resolveRemote,
      signal: options.signal,
    }),
  );
  return {
    before: await inSetting("checkpoints.before", () =>
      openCheckpoint(file.at(checkpoints.before), options.download),
    ),
    pairs: withRelativePaths(opened, dirname(resolve(file.path))),
    responses: await openFile("responses", responses, file),
  };
}

async function openCheckpoint(name: string, download: JobOptions = {}): Promise<CheckpointInput> {
  const folder = await localFolder(name, download);
  return { folder, hash: await hashCheckpoint(folder), size: await checkpointSize(folder) };
}

async function openFile(
  setting: string,
  path: string | undefined,
  file: ExperimentFile,
): Promise<FileInput | undefined> {
  if (path === undefined) return undefined;
  const found = file.at(path);
  const sha256 = await hashFile(found).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`${setting}: ${path} cannot be read (${error.code ?? error.message})`, {
      hint: `Paths are relative to the folder of ${file.path}.`,
      cause: error,
    });
  });
  return { path: found, sha256 };
}

/** Errors of readers name the file; this adds which setting named it. */
async function inSetting<T>(setting: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError) || error.message.startsWith(`${setting}:`)) throw error;
    throw new ConfigError(`${setting}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/**
 * The same pairs under names that do not depend on where the experiment lies: paths below its folder are relative to it, others (a hub
 * cache, say) their last part. They stand in reports and lists of unusable rows.
 */
function withRelativePaths(pairs: PairSet, folder: string): PairSet {
  const rename = (path: string): string => relativeName(path, folder);
  return {
    ...pairs,
    files: pairs.files.map((file) => ({ ...file, path: rename(file.path) })),
    read: async function* (readOptions) {
      for await (const row of pairs.read(readOptions)) yield { ...row, file: rename(row.file) };
    },
  };
}

/** See withRelativePaths. */
export function relativeName(path: string, folder: string): string {
  const found = relative(folder, resolve(path));
  return found.startsWith("..") || resolve(found) === found
    ? basename(path)
    : found.split(sep).join("/");
}

/** Files under the names that results may hold. */
export function withoutFolders<T extends Pick<DataFile, "path">>(files: readonly T[]): T[] {
  return files.map((file) => ({ ...file, path: basename(file.path) }));
}
