import { createHash, randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

import { z } from "zod";

import { describeWriteError } from "./atomic-file.ts";
import { RuntimeError } from "./errors.ts";

const LOCK_NAME = "writer.lock";

const lockSchema = z.object({ pid: z.int().positive(), host: z.string(), token: z.string() });
type Lock = z.infer<typeof lockSchema>;

/** Locks held by this process: a process id that is our own but not listed here is a leftover of an earlier process. */
const heldHere = new Set<string>();

/**
 * Makes this process the only writer of a folder until disposed of. A lock whose process is gone (killed, machine rebooted)
 * is taken over. `what` says in the error what is being written. Throws RuntimeError where another writer is at work, or might be (a lock of another machine).
 */
export function lockForWriting(directory: string, what = "this store"): Promise<AsyncDisposable> {
  return lockAt(join(resolve(directory), LOCK_NAME), { place: directory, what });
}

/** The same for one file, by a lock beside it. */
export function lockFileForWriting(path: string): Promise<AsyncDisposable> {
  return lockAt(`${resolve(path)}.lock`, { place: path, what: "it" });
}

/** Whether a process is writing a folder, as far as that can be known: one of another machine is believed. */
export async function isBeingWritten(directory: string): Promise<boolean> {
  const path = join(resolve(directory), LOCK_NAME);
  const holder = await readLock(path);
  return typeof holder !== "string" && isAlive(holder, path);
}

/** What is locked, in the words of the error. */
interface Locked {
  readonly place: string;
  readonly what: string;
}

async function lockAt(path: string, locked: Locked): Promise<AsyncDisposable> {
  const lock: Lock = { pid: process.pid, host: hostname(), token: randomUUID() };
  // A few rounds: between finding a stale lock and replacing it another process may do the same.
  for (let round = 0; round < 5; round++) {
    if (await tryCreate(path, lock)) {
      heldHere.add(path);
      await removeDeadDrafts(path);
      return {
        async [Symbol.asyncDispose]() {
          heldHere.delete(path);
          await rm(path, { force: true });
        },
      };
    }
    const holder = await readLock(path);
    if (holder === "gone") continue;
    if (holder !== "unreadable" && isAlive(holder, path)) throw inUse(path, holder, locked);
    await removeStale(path, holder);
  }
  throw inUse(path, undefined, locked);
}

async function tryCreate(path: string, lock: Lock): Promise<boolean> {
  // Written under another name and linked, so that nobody ever reads half a lock.
  const draft = `${draftsOf(path)}${lock.pid}.${lock.token}`;
  try {
    await writeFile(draft, JSON.stringify(lock));
    await link(draft, path).catch(async (error: NodeJS.ErrnoException) => {
      // Some file systems have no hard links; there the lock is written in place, half a lock being taken for a stale one.
      if (!["EPERM", "ENOTSUP", "ENOSYS"].includes(error.code ?? "")) throw error;
      await writeFile(path, JSON.stringify(lock), { flag: "wx" });
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw describeWriteError(path, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** How the names of this machine's drafts of a lock begin; the process id comes next. */
function draftsOf(path: string): string {
  return `${path}.${createHash("sha256").update(hostname()).digest("hex").slice(0, 8)}.`;
}

/** A process killed between writing its draft and linking it leaves the draft; whoever takes the lock clears up after it. */
async function removeDeadDrafts(path: string): Promise<void> {
  const start = basename(draftsOf(path));
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const pid = Number.parseInt(name.slice(start.length), 10);
    if (pid !== process.pid && !isProcessAlive(pid)) {
      await rm(join(dirname(path), name), { force: true });
    }
  }
}

async function readLock(path: string): Promise<Lock | "gone" | "unreadable"> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "gone";
    throw error;
  }
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    // Locks appear whole (see tryCreate); a torn one is what a crash of the machine left behind.
    return "unreadable";
  }
}

function isAlive(lock: Lock, path: string): boolean {
  if (lock.host !== hostname()) return true; // cannot be asked from here
  if (lock.pid === process.pid) return heldHere.has(path);
  return isProcessAlive(lock.pid);
}

async function removeStale(path: string, stale: Lock | "unreadable"): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = await readLock(aside);
  const isTheStaleOne =
    typeof moved === "string" || typeof stale === "string"
      ? moved === stale
      : moved.token === stale.token;
  // Somebody else had replaced the stale lock between our look and our move: give theirs back.
  if (!isTheStaleOne) await link(aside, path).catch(ignoreExisting);
  await rm(aside, { force: true });
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

function inUse(path: string, holder: Lock | undefined, { place, what }: Locked): RuntimeError {
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid}${holder.host === hostname() ? "" : ` on ${holder.host}`}`;
  return new RuntimeError(`${place}: ${who} is writing ${what}`, {
    hint: `Wait for it to end. If it is gone for certain, delete ${path}.`,
  });
}

/** Whether a process of this machine is there. Its number may have gone to another one since. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process is there and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
