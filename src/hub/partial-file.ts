/**
 * @file Unfinished blobs. Each `.incomplete` file has at most one writer, named in its own file name; taking one over is a
 * rename, which only one of several processes can win, so no lock file can be left behind or broken. A file that was given
 * up carries no owner and goes to whoever comes next. Both processes finishing the same blob is harmless: equal contents.
 */
import { createHash, randomUUID } from "node:crypto";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

import { isProcessAlive } from "../util/writer-lock.ts";
import { absentAsUndefined } from "./cache-layout.ts";

/**
 * A live writer touches its file at least every retry and idle timeout (a minute or two). Past this the owner is taken for
 * dead even if its process id is in use: ids come round again after a restart, and other machines' ids say nothing.
 */
const STALE_MS = 10 * 60_000;
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const OWNER_PATTERN = /^culprit-([0-9a-f]{8})-(\d+)-[0-9a-f-]+$/;
const PARKED = "culprit";

/** Blobs that this process is writing at the moment, each with its unfinished file. */
const claims = new Map<string, string>();

interface Leftover {
  readonly path: string;
  readonly sizeBytes: number;
  readonly isLive: boolean;
}

/**
 * Makes this caller the only writer of an unfinished copy of `blobPath` and returns its path: the longest that somebody
 * left behind, else a new empty file. Undefined while another live process is writing one.
 */
export async function claimPartial(blobPath: string): Promise<string | undefined> {
  if (claims.has(blobPath)) return undefined;
  const own = partialPath(blobPath, `culprit-${HOST}-${process.pid}-${randomUUID()}`);
  // Before the first await, so that two calls in this process cannot both find the way free.
  claims.set(blobPath, own);
  let isClaimed = false;
  try {
    isClaimed = await takeOverOrCreate(blobPath, own);
  } finally {
    if (!isClaimed) claims.delete(blobPath);
  }
  return isClaimed ? own : undefined;
}

/** Gives an unfinished file up for a later call to go on with; an empty one is removed. */
export async function parkPartial(blobPath: string, own: string): Promise<void> {
  claims.delete(blobPath);
  const sizeBytes = (await stat(own).catch(absentAsUndefined))?.size ?? 0;
  const parked = partialPath(blobPath, PARKED);
  const other = await stat(parked).catch(absentAsUndefined);
  if (sizeBytes === 0 || (other?.size ?? 0) > sizeBytes) await rm(own, { force: true });
  else await renameIfThere(own, parked);
}

/** Removes an unfinished file whose content is wrong. */
export async function discardPartial(blobPath: string, own: string): Promise<void> {
  claims.delete(blobPath);
  await rm(own, { force: true });
}

/** Turns a finished file into the blob, in one step. */
export async function promotePartial(blobPath: string, own: string): Promise<void> {
  await rename(own, blobPath);
  claims.delete(blobPath);
}

/** How many bytes of a blob an earlier call left behind. */
export async function leftoverBytes(blobPath: string): Promise<number> {
  return (await findLeftovers(blobPath))[0]?.sizeBytes ?? 0;
}

async function takeOverOrCreate(blobPath: string, own: string): Promise<boolean> {
  const leftovers = await findLeftovers(blobPath);
  if (leftovers.some((each) => each.isLive)) return false;
  for (const [i, leftover] of leftovers.entries()) {
    if (!(await renameIfThere(leftover.path, own))) continue;
    for (const shorter of leftovers.slice(i + 1)) await rm(shorter.path, { force: true });
    return true;
  }
  await (await open(own, "wx")).close();
  return true;
}

/** Longest first. */
async function findLeftovers(blobPath: string): Promise<readonly Leftover[]> {
  const folder = dirname(blobPath);
  const prefix = `${basename(blobPath)}.`;
  const names = (await readdir(folder).catch(absentAsUndefined)) ?? [];
  const leftovers: Leftover[] = [];
  for (const name of names) {
    if (!name.startsWith(prefix) || !name.endsWith(".incomplete")) continue;
    const owner = name.slice(prefix.length, -".incomplete".length);
    if (owner !== PARKED && !OWNER_PATTERN.test(owner)) continue; // Python's own
    const path = join(folder, name);
    const entry = await stat(path).catch(absentAsUndefined);
    if (entry === undefined) continue;
    const isLive = isOwnerLive(owner, claims.get(blobPath) === path, Date.now() - entry.mtimeMs);
    leftovers.push({ path, sizeBytes: entry.size, isLive });
  }
  return leftovers.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
}

function isOwnerLive(owner: string, isClaimedHere: boolean, idleMs: number): boolean {
  const [, host, pid] = OWNER_PATTERN.exec(owner) ?? [];
  if (pid === undefined) return false;
  if (host === HOST && Number(pid) === process.pid) return isClaimedHere;
  if (idleMs > STALE_MS) return false;
  return host !== HOST || isProcessAlive(Number(pid));
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    absentAsUndefined(error);
    return false;
  }
}

function partialPath(blobPath: string, owner: string): string {
  return `${blobPath}.${owner}.incomplete`;
}
