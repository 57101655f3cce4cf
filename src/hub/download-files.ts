import { mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";

import { RuntimeError } from "../util/errors.ts";
import type { Progress } from "../util/progress.ts";
import { isWholeFile, placeInSnapshot } from "./cache-layout.ts";
import { describeDiskError } from "./disk-errors.ts";
import { downloadBlob, type BlobSource } from "./download-blob.ts";
import { formatHubUri } from "./hub-uri.ts";
import { leftoverBytes } from "./partial-file.ts";
import { blobName, type RepoFile } from "./repo-file.ts";

/** A few at once fill a fast line; more only break up the disk's writes. */
const PARALLEL_DOWNLOADS = 4;

/**
 * Brings all of `files` into the snapshot; those already there cost one look at the disk. Progress counts the bytes of the
 * missing ones. The first failure stops the rest, whose unfinished parts stay for the next call.
 */
export async function downloadFiles(
  source: BlobSource,
  files: readonly RepoFile[],
  progress: Progress,
): Promise<void> {
  const missing = await findMissingFiles(source, files);
  if (missing.length === 0) return;
  try {
    await mkdir(source.cache.blobs, { recursive: true });
    await downloadMissing(source, missing, progress);
  } catch (error) {
    throw describeDiskError(source.cache.folder, error);
  }
}

/** The files that the snapshot does not hold at their full size. */
export async function findMissingFiles(
  { cache, commit }: Pick<BlobSource, "cache" | "commit">,
  files: readonly RepoFile[],
): Promise<readonly RepoFile[]> {
  const missing: RepoFile[] = [];
  for (const file of files) {
    const path = join(cache.snapshot(commit), ...file.path.split("/"));
    if (!(await isWholeFile(path, file.sizeBytes))) missing.push(file);
  }
  return missing;
}

async function downloadMissing(
  source: BlobSource,
  missing: readonly RepoFile[],
  progress: Progress,
): Promise<void> {
  const { cache, commit, connection } = source;
  const totalBytes = missing.reduce((sum, file) => sum + file.sizeBytes, 0);
  const arrived = new Map<string, number>();
  for (const file of missing) {
    const left = await leftoverBytes(join(cache.blobs, blobName(file)));
    arrived.set(file.path, Math.min(left, file.sizeBytes));
  }
  let doneBytes = [...arrived.values()].reduce((sum, bytes) => sum + bytes, 0);
  await checkDiskSpace(source, totalBytes - doneBytes);
  progress.update(doneBytes, totalBytes);

  const stop = new AbortController();
  const signal = connection.signal
    ? AbortSignal.any([connection.signal, stop.signal])
    : stop.signal;
  const stoppable = { ...source, connection: { ...connection, signal } };
  // Small files first: what is wrong with the repository or the access shows before the gigabytes.
  const queue = missing.toSorted((a, b) => a.sizeBytes - b.sizeBytes);
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { path } = file;
      await downloadBlob(stoppable, file, (bytes) => {
        doneBytes += bytes - (arrived.get(path) ?? 0);
        arrived.set(path, bytes);
        progress.update(doneBytes, totalBytes);
      });
      await placeInSnapshot(cache, commit, file);
    }
  };
  await allOrFirstFailure(
    Array.from({ length: PARALLEL_DOWNLOADS }, async () => await worker()),
    () => stop.abort(),
  );
}

/** Waits for every task to end, telling the others as soon as one fails; throws that first failure. */
async function allOrFirstFailure(tasks: readonly Promise<void>[], tell: () => void): Promise<void> {
  let first: { readonly error: unknown } | undefined;
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task;
      } catch (error) {
        first ??= { error };
        tell();
      }
    }),
  );
  if (first !== undefined) throw first.error;
}

async function checkDiskSpace(
  { cache, reference }: BlobSource,
  neededBytes: number,
): Promise<void> {
  const { bavail, bsize } = await statfs(cache.blobs);
  if (neededBytes <= bavail * bsize) return;
  throw new RuntimeError(
    `${formatHubUri(reference)}: needs ${gigabytes(neededBytes)} on the disk of ${cache.folder}, which has ${gigabytes(bavail * bsize)} free`,
    { hint: "Free some space, or set HF_HOME to a folder on a larger disk." },
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e10 ? 3 : 0)} GB`;
}
