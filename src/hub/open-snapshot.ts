import { RuntimeError } from "../util/errors.ts";
import { silentProgress, type Progress } from "../util/progress.ts";
import {
  readRef,
  readTree,
  repoCache,
  writeRef,
  writeTree,
  type RepoCache,
} from "./cache-layout.ts";
import { describeDiskError, isUnwritable } from "./disk-errors.ts";
import type { BlobSource } from "./download-blob.ts";
import { downloadFiles, findMissingFiles } from "./download-files.ts";
import { isCommit, listRepoFiles, resolveCommit } from "./hub-api.ts";
import { createHubConnection, type HubConnection } from "./hub-connection.ts";
import { HubUnreachableError } from "./hub-errors.ts";
import { readHubSettings, type HubOptions } from "./hub-settings.ts";
import { formatHubUri, type HubReference } from "./hub-uri.ts";
import type { RepoFile } from "./repo-file.ts";

/** A repository at one commit, on the hub or, where that is out of reach, in the cache alone. */
export interface Snapshot extends BlobSource {
  readonly folder: string;
  /** Every file of the commit; undefined where only the cache is at hand and it was never listed. */
  readonly files: readonly RepoFile[] | undefined;
  /** Why the hub is not asked; undefined where it is. */
  readonly offline: { readonly reason: string; readonly cause?: unknown } | undefined;
  readonly progress: Progress;
}

/** With a copy in the cache a dead network should cost seconds, not a minute. */
const TRIES_WITH_COPY = 2;

/**
 * Finds out which commit a reference means and what is in it. A commit whose listing is cached costs no request, a branch
 * one. When HF_HUB_OFFLINE is set or nobody answers, the last known commit is taken and a progress note says so; throws
 * RuntimeError where the cache knows none.
 */
export async function openSnapshot(
  reference: HubReference,
  options: HubOptions,
): Promise<Snapshot> {
  const settings = await readHubSettings(options.env ?? process.env);
  const connection = createHubConnection(settings, options);
  const cache = repoCache(settings.cacheFolder, reference);
  const progress = options.progress ?? silentProgress;
  const at = { reference, connection, cache, progress };
  if (settings.isOffline) return await openCached(at, "HF_HUB_OFFLINE is set", undefined);
  try {
    const known = await readRef(cache, reference.revision);
    const tries = known === undefined ? connection.retry.tries : TRIES_WITH_COPY;
    const commit = isCommit(reference.revision)
      ? reference.revision
      : await resolveCommit(connection, reference, tries);
    const listed = await readTree(cache, commit);
    const files = listed ?? (await listRepoFiles(connection, reference, commit));
    if (listed === undefined) await record(at, async () => await writeTree(cache, commit, files));
    return { ...at, commit, files, folder: cache.snapshot(commit), offline: undefined };
  } catch (error) {
    if (!(error instanceof HubUnreachableError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    return await openCached(at, reason, error);
  }
}

/** Brings the given files of a snapshot to the disk; offline, throws RuntimeError where one is not there yet. */
export async function fetchIntoSnapshot(
  snapshot: Snapshot,
  files: readonly RepoFile[],
): Promise<void> {
  if (snapshot.offline === undefined) {
    return await downloadFiles(snapshot, files, snapshot.progress);
  }
  const [missing] = await findMissingFiles(snapshot, files);
  if (missing !== undefined) throw notCached(snapshot, snapshot.offline, `lacks ${missing.path}`);
}

/**
 * Remembers what the revision means now. Called when all that was wanted is there: an interrupted update leaves the last
 * whole snapshot as the one that works offline.
 */
export async function rememberRevision(snapshot: Snapshot): Promise<void> {
  const { cache, commit, offline, reference } = snapshot;
  if (offline !== undefined) return;
  await record(snapshot, async () => await writeRef(cache, reference.revision, commit));
}

/** The error for something that the cache would have to hold and does not. */
export function notCached(
  at: { readonly reference: HubReference; readonly cache: RepoCache },
  offline: { readonly reason: string; readonly cause?: unknown },
  what: string,
): RuntimeError {
  return new RuntimeError(
    `${formatHubUri(at.reference)}: not available offline, the cache at ${at.cache.folder} ${what} (${offline.reason})`,
    {
      hint: "Run the same command once with a network and without HF_HUB_OFFLINE, or check HF_HOME.",
      cause: offline.cause,
    },
  );
}

async function openCached(
  at: {
    readonly reference: HubReference;
    readonly connection: HubConnection;
    readonly cache: RepoCache;
    readonly progress: Progress;
  },
  reason: string,
  cause: unknown,
): Promise<Snapshot> {
  const { reference, cache, progress } = at;
  const offline = { reason, cause };
  const commit = await readRef(cache, reference.revision);
  if (commit === undefined) throw notCached(at, offline, "has no copy of this revision");
  progress.note(
    `${formatHubUri(reference)}: using the copy in the cache, commit ${commit.slice(0, 12)} (${reason})`,
  );
  const files = await readTree(cache, commit);
  return { ...at, commit, files, folder: cache.snapshot(commit), offline };
}

/** A shared cache may be read-only: what is only remembered for next time is then noted and left out. */
async function record(
  at: { readonly cache: RepoCache; readonly progress: Progress },
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isUnwritable(error)) throw describeDiskError(at.cache.folder, error);
    at.progress.note(`${at.cache.folder}: read-only, so nothing is recorded there`);
  }
}
