import { stat } from "node:fs/promises";
import { join } from "node:path";

import { ConfigError } from "../util/errors.ts";
import { absentAsUndefined } from "./cache-layout.ts";
import { compileGlob, isGlob } from "./glob.ts";
import { printable } from "./hub-errors.ts";
import type { HubOptions } from "./hub-settings.ts";
import { parseHubUri } from "./hub-uri.ts";
import {
  fetchIntoSnapshot,
  notCached,
  openSnapshot,
  rememberRevision,
  type Snapshot,
} from "./open-snapshot.ts";
import type { RepoFile } from "./repo-file.ts";

const ROWS_PATTERN = /\.(?:parquet|jsonl|jsonl\.gz|json|csv)$/i;
/** JSON that describes a dataset instead of holding its rows. */
const DESCRIPTIONS = ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

/**
 * Brings the files that `hf://datasets/owner/name[@revision]/path-or-glob` names into the Hugging Face cache and returns
 * their local paths in order of their names. A folder, or no path at all, means every .parquet, .jsonl, .jsonl.gz, .json and
 * .csv file below it, hidden ones and dataset descriptions aside. Progress counts bytes; downloads resume.
 * Throws ConfigError where the address is bad or names no file, and what `downloadCheckpoint` throws.
 */
export async function resolveDatasetFiles(
  uri: string,
  options: HubOptions = {},
): Promise<readonly string[]> {
  const reference = parseHubUri(uri);
  if (reference.kind !== "dataset") {
    throw new ConfigError(`${uri}: expected a dataset, got a model`, {
      hint: "Datasets are written hf://datasets/owner/name/path.",
    });
  }
  const { path } = reference;
  try {
    const snapshot = await openSnapshot(reference, options);
    if (snapshot.files === undefined) return [await findUnlistedFile(snapshot, path)];
    const files = selectDatasetFiles(uri, snapshot.files, path);
    await fetchIntoSnapshot(snapshot, files);
    await rememberRevision(snapshot);
    return files.map((file) => localPath(snapshot, file.path));
  } finally {
    options.progress?.end();
  }
}

/** The files that a path, glob or folder names, in code-unit order; throws ConfigError where that is none. */
export function selectDatasetFiles(
  uri: string,
  files: readonly RepoFile[],
  path: string | undefined,
): readonly RepoFile[] {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  // A name that exists is meant literally, whatever characters it has.
  const exact = sorted.filter((file) => file.path === path);
  if (exact.length > 0) return exact;
  const chosen =
    path !== undefined && isGlob(path)
      ? sorted.filter(matching(compileGlob(path)))
      : sorted.filter((file) => isRowsFile(file.path, path === undefined ? "" : `${path}/`));
  if (chosen.length > 0) return chosen;
  const some = sorted.filter((file) => isRowsFile(file.path, "")).slice(0, 5);
  throw new ConfigError(`${uri}: names no file of this dataset`, {
    hint:
      some.length === 0
        ? "It has no .parquet, .jsonl, .json or .csv files."
        : `It has for example ${some.map((file) => printable(file.path)).join(", ")}.`,
  });
}

function matching(isMatch: (path: string) => boolean): (file: RepoFile) => boolean {
  return (file) => isMatch(file.path);
}

function isRowsFile(path: string, folder: string): boolean {
  const words = path.split("/");
  return (
    path.startsWith(folder) &&
    ROWS_PATTERN.test(path) &&
    !words.some((word) => word.startsWith(".")) &&
    !DESCRIPTIONS.includes(words.at(-1)!)
  );
}

/** Offline and without a listing only a file named in full can be known to be everything that was asked for. */
async function findUnlistedFile(snapshot: Snapshot, path: string | undefined): Promise<string> {
  const offline = snapshot.offline ?? { reason: "" };
  const entry =
    path === undefined ? undefined : await stat(localPath(snapshot, path)).catch(absentAsUndefined);
  if (path === undefined || entry?.isFile() !== true) {
    throw notCached(snapshot, offline, "has no list of this revision's files");
  }
  return localPath(snapshot, path);
}

function localPath(snapshot: Snapshot, path: string): string {
  return join(snapshot.folder, ...path.split("/"));
}
