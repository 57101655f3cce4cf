/**
 * @file The folder of one repository in the cache that Python's huggingface_hub shares: `blobs/` holds contents by their
 * id, `snapshots/<commit>/` the repository's file names as links to them, `refs/` the commit that each revision meant when it
 * was last asked, `trees/` the listing of a commit. Only finished files ever appear under these names.
 */
import { randomUUID } from "node:crypto";
import { copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

import { FormatError } from "../util/errors.ts";
import { isCommit } from "./hub-api.ts";
import type { HubReference } from "./hub-uri.ts";
import { blobName, checkRepoFile, type RepoFile } from "./repo-file.ts";

/** Paths of one repository's cache. */
export interface RepoCache {
  readonly folder: string;
  readonly blobs: string;
  snapshot(commit: string): string;
}

const TREE_FORMAT_VERSION = 1;
/** What a file system without symbolic links answers. */
const NO_SYMLINK_CODES = [
  "EPERM",
  "EACCES",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EINVAL",
  "UNKNOWN",
];

/** Names the cache of a repository; touches nothing. */
export function repoCache(cacheFolder: string, reference: HubReference): RepoCache {
  const folder = join(cacheFolder, `${reference.kind}s--${reference.repo.replace("/", "--")}`);
  return {
    folder,
    blobs: join(folder, "blobs"),
    snapshot: (commit) => join(folder, "snapshots", commit),
  };
}

/** The commit that a revision meant when it was last asked; a commit means itself. */
export async function readRef(cache: RepoCache, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const path = join(cache.folder, "refs", revision);
  const commit = (await readIfThere(path))?.trim();
  if (commit === undefined || isCommit(commit)) return commit;
  throw new FormatError(`${path}: expected a commit id of 40 hex digits`, {
    hint: "Delete this file and run the same command again.",
  });
}

/** Records what a branch or tag means now. */
export async function writeRef(cache: RepoCache, revision: string, commit: string): Promise<void> {
  if (isCommit(revision) || (await readRef(cache, revision)) === commit) return;
  await writeWhole(cache, join(cache.folder, "refs", revision), commit);
}

/** The listing of a commit if it was ever asked for by this library or Python's, in order of path. */
export async function readTree(
  cache: RepoCache,
  commit: string,
): Promise<readonly RepoFile[] | undefined> {
  const path = treePath(cache, commit);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  const tree = parseTree(path, text);
  if (tree.format_version !== TREE_FORMAT_VERSION) return undefined;
  return Object.entries(tree.files ?? {}).map(([name, entry]) =>
    checkRepoFile(path, {
      path: name,
      sizeBytes: entry["lfs_size"] ?? entry["size"],
      gitOid: entry["blob_id"],
      sha256: entry["lfs_sha256"] ?? undefined,
      xetHash: entry["xet_hash"],
    }),
  );
}

/** Records the listing of a commit in the form that Python's huggingface_hub (2.x) reads too. */
export async function writeTree(
  cache: RepoCache,
  commit: string,
  files: readonly RepoFile[],
): Promise<void> {
  const entries = files
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map((file): [string, object] => [
      file.path,
      {
        size: file.sizeBytes,
        blob_id: file.gitOid,
        ...(file.sha256 && { lfs_sha256: file.sha256, lfs_size: file.sizeBytes }),
        ...(file.xetHash && { xet_hash: file.xetHash }),
      },
    ]);
  const tree = { format_version: TREE_FORMAT_VERSION, files: Object.fromEntries(entries) };
  await writeWhole(cache, treePath(cache, commit), JSON.stringify(tree, undefined, 1));
}

/** Whether a path leads to a file of exactly this size; links are followed. */
export async function isWholeFile(path: string, sizeBytes: number): Promise<boolean> {
  const entry = await stat(path).catch(absentAsUndefined);
  return entry?.isFile() === true && entry.size === sizeBytes;
}

/**
 * Gives a finished blob its name in a snapshot, in one step: a relative link, so that the cache can be moved as a whole, or
 * a copy where `link` says that the file system has none.
 */
export async function placeInSnapshot(
  cache: RepoCache,
  commit: string,
  file: RepoFile,
  link: (target: string, path: string) => Promise<void> = symlink,
): Promise<string> {
  const pointer = join(cache.snapshot(commit), ...file.path.split("/"));
  const blob = join(cache.blobs, blobName(file));
  await mkdir(dirname(pointer), { recursive: true });
  const fresh = temporaryPath(cache);
  try {
    try {
      await link(relative(dirname(pointer), blob), fresh);
    } catch (error) {
      if (!NO_SYMLINK_CODES.includes(errorCode(error))) throw error;
      await copyFile(blob, fresh);
    }
    await rename(fresh, pointer);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  return pointer;
}

/** For `.catch` on file system calls: nothing at that path is an answer, everything else an error. */
export function absentAsUndefined(error: unknown): undefined {
  if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return undefined;
  throw error;
}

/** The code of a system error, "" for anything else. */
export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ""; // absent on errors of other kinds
}

function treePath(cache: RepoCache, commit: string): string {
  return join(cache.folder, "trees", `${commit}.json`);
}

function parseTree(
  path: string,
  text: string,
): { format_version?: unknown; files?: Record<string, Record<string, unknown>> } {
  try {
    const tree: unknown = JSON.parse(text);
    const files: unknown = (tree as { files?: unknown } | null)?.files;
    const isTree =
      typeof files === "object" &&
      files !== null &&
      Object.values(files).every((entry) => typeof entry === "object" && entry !== null);
    if (!isTree) throw new Error("no files in it");
    return tree as { files: Record<string, Record<string, unknown>> }; // just checked
  } catch (error) {
    throw new FormatError(`${path}: expected the listing of a repository, got something else`, {
      hint: "Delete this file and run the same command again.",
      cause: error,
    });
  }
}

/** A temporary name of its own for every writer: several processes may write the same file at once. */
async function writeWhole(cache: RepoCache, path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const fresh = temporaryPath(cache);
  try {
    await writeFile(fresh, text, { flag: "wx", flush: true });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** In the repository's own folder: outside `refs/` and `snapshots/`, whose every file means something to readers. */
function temporaryPath(cache: RepoCache): string {
  return join(cache.folder, `.${randomUUID()}.tmp`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch(absentAsUndefined);
}
