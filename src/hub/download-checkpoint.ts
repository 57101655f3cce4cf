import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { ConfigError, FormatError } from "../util/errors.ts";
import { silentProgress } from "../util/progress.ts";
import { absentAsUndefined } from "./cache-layout.ts";
import { MAX_INDEX_BYTES, selectCheckpointFiles, WEIGHTS_INDEX } from "./checkpoint-files.ts";
import { findMissingFiles } from "./download-files.ts";
import type { HubOptions } from "./hub-settings.ts";
import { type HubReference, parseHubUri } from "./hub-uri.ts";
import {
  fetchIntoSnapshot,
  notCached,
  openSnapshot,
  rememberRevision,
  type Snapshot,
} from "./open-snapshot.ts";
import type { RepoFile } from "./repo-file.ts";

/**
 * Brings the checkpoint `hf://owner/name[@revision]` into the Hugging Face cache and returns the folder that holds it:
 * configuration, tokenizer, chat template and safetensors weights, nothing else. Files already there are not asked for
 * again; an interrupted download goes on where it stopped. Progress counts bytes.
 * Throws ConfigError on a bad address or unknown repository, UnsupportedError where there are no safetensors weights,
 * RuntimeError where access, network, disk or checksums fail.
 */
export async function downloadCheckpoint(uri: string, options: HubOptions = {}): Promise<string> {
  const reference = parseHubUri(uri);
  expectModel(uri, reference);
  try {
    const snapshot = await openSnapshot(reference, options);
    if (snapshot.files === undefined) await checkUnlistedCopy(uri, snapshot);
    else await fetchCheckpoint(uri, snapshot, snapshot.files);
    return snapshot.folder;
  } finally {
    options.progress?.end();
  }
}

/** What a checkpoint of the hub is made of, and how much of it is still to be downloaded. */
export interface CheckpointSurvey {
  /** Of the commit, in the cache: config.json is there, weights need not be. */
  readonly folder: string;
  readonly cacheFolder: string;
  readonly weightBytes: number;
  readonly missingBytes: number;
}

/**
 * Looks at the checkpoint `hf://owner/name[@revision]` without its weights: only config.json and an index of weights are downloaded.
 * Throws as downloadCheckpoint does.
 */
export async function surveyCheckpoint(
  uri: string,
  options: HubOptions = {},
): Promise<CheckpointSurvey> {
  const reference = parseHubUri(uri);
  expectModel(uri, reference);
  const snapshot = await openSnapshot(reference, options);
  const { folder, files, cache } = snapshot;
  const wanted = await checkpointFiles(uri, snapshot, files ?? (await listCopy(folder)));
  const config = wanted.filter(({ path }) => path === "config.json");
  await fetchIntoSnapshot({ ...snapshot, progress: silentProgress }, config);
  const missing = files === undefined ? [] : await findMissingFiles(snapshot, wanted);
  const bytes = (some: readonly RepoFile[]): number =>
    some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const weights = wanted.filter(({ path }) => path.endsWith(".safetensors"));
  return {
    folder,
    cacheFolder: cache.folder,
    weightBytes: bytes(weights),
    missingBytes: bytes(missing),
  };
}

function expectModel(uri: string, { kind, path }: HubReference): void {
  if (kind === "model" && path === undefined) return;
  throw new ConfigError(`${uri}: expected a model checkpoint, hf://owner/name@revision`, {
    hint: "A checkpoint is a whole model repository; datasets and files inside a repository are pair files.",
  });
}

async function fetchCheckpoint(
  uri: string,
  snapshot: Snapshot,
  files: readonly RepoFile[],
): Promise<void> {
  await fetchIntoSnapshot(snapshot, await checkpointFiles(uri, snapshot, files));
  await rememberRevision(snapshot);
}

/** Those of a repository's files that make up the checkpoint. */
async function checkpointFiles(
  uri: string,
  snapshot: Snapshot,
  files: readonly RepoFile[],
): Promise<readonly RepoFile[]> {
  const index = files.find((file) => file.path === WEIGHTS_INDEX);
  let indexText: string | undefined;
  if (index !== undefined) {
    if (index.sizeBytes > MAX_INDEX_BYTES) {
      throw new FormatError(
        `${uri}: ${WEIGHTS_INDEX} should have at most ${MAX_INDEX_BYTES} bytes, has ${index.sizeBytes}`,
      );
    }
    // Its few bytes come first and without display: only then is the total known.
    await fetchIntoSnapshot({ ...snapshot, progress: silentProgress }, [index]);
    indexText = await readFile(join(snapshot.folder, WEIGHTS_INDEX), "utf8");
  }
  return selectCheckpointFiles(uri, files, indexText);
}

/**
 * Offline with a copy that an older library made, which kept no listing: it counts as whole if configuration, tokenizer and
 * every weight that it speaks of are there.
 */
async function checkUnlistedCopy(uri: string, snapshot: Snapshot): Promise<void> {
  const offline = snapshot.offline ?? { reason: "" };
  const files = await listCopy(snapshot.folder);
  const has = (name: string): boolean => files.some((file) => file.path === name);
  const wanted = has("adapter_config.json") ? [] : ["config.json", "tokenizer.json"];
  const lacking = wanted.find((name) => !has(name));
  if (lacking !== undefined) throw notCached(snapshot, offline, `lacks ${lacking}`);
  const index = has(WEIGHTS_INDEX)
    ? await readFile(join(snapshot.folder, WEIGHTS_INDEX), "utf8")
    : undefined;
  try {
    selectCheckpointFiles(uri, files, index);
  } catch (error) {
    throw notCached(snapshot, { ...offline, cause: error }, "lacks some of its weights");
  }
}

/** The files of a snapshot folder; none where it is not there. */
async function listCopy(folder: string): Promise<readonly RepoFile[]> {
  const names = (await readdir(folder).catch(absentAsUndefined)) ?? [];
  const files: RepoFile[] = [];
  for (const path of names) {
    const entry = await stat(join(folder, path)).catch(absentAsUndefined);
    if (entry?.isFile()) files.push({ path, sizeBytes: entry.size, gitOid: "" });
  }
  return files;
}
