/** @file The folder by which control plane and cluster speak; workers/ray/culprit_worker/session.py says what each file means. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { z } from "zod";

import type { JobsClient } from "../../cluster/jobs-client.ts";
import { type SafetensorsTensor, writeSafetensors } from "../../format/safetensors.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import type { Task } from "./ray-chunks.ts";

/** Of the files that control plane and worker exchange. */
export const PROTOCOL = 1;
/** How long a job goes on without a sign of life from here; it must be longer than a file system's caches keep what was read. */
const PATIENCE_SECONDS = 90;
const SIGN_OF_LIFE_MS = 5000;

/** How the job runs checkpoints. */
export interface SessionWish {
  readonly dtype: string;
  readonly device: string;
  readonly threads: number;
  readonly batchTokens: number;
  readonly workers: number | undefined;
}

const stateSchema = z.object({
  workers: z.number(),
  ready: z.number(),
  free: z.object({ CPU: z.number(), GPU: z.number() }).optional(),
});
const failureSchema = z.object({ message: z.string(), hint: z.string() });
const ownerSchema = z.object({ host: z.string(), pid: z.number(), jobs: z.string() });

export type SessionState = z.output<typeof stateSchema>;
export type SessionFailure = z.output<typeof failureSchema>;

/** A session's folder, with a sign of life in it until it is closed. */
export class SessionFolder {
  readonly id: string;
  readonly path: string;
  readonly #beat: NodeJS.Timeout;
  #count = 0;

  private constructor(id: string, path: string) {
    this.id = id;
    this.path = path;
    let count = 0;
    // Not awaited: a beat that is lost is followed by the next one.
    this.#beat = setInterval(() => {
      count++;
      writeFile(join(path, "alive"), `${count}`).catch(() => undefined);
    }, SIGN_OF_LIFE_MS);
    this.#beat.unref();
  }

  static async create(storage: string, wish: SessionWish): Promise<SessionFolder> {
    const id = `culprit-${randomUUID()}`;
    const path = join(storage, "sessions", id);
    for (const name of ["queue", "in", "errors"]) {
      await mkdir(join(path, name), { recursive: true });
    }
    const owner = { host: hostname(), pid: process.pid, jobs: id };
    const session = {
      format: "culprit-session",
      protocol: PROTOCOL,
      ...owner,
      ...wish,
      patienceSeconds: PATIENCE_SECONDS,
    };
    await writeFile(join(path, "alive"), "0");
    await writeFileAtomic(join(path, "session.json"), JSON.stringify(session));
    return new SessionFolder(id, path);
  }

  /** Puts a chunk into the queue: what is asked of it, and where its result goes. They are done in the order in which they are put. */
  async put(
    request: string,
    key: string,
    tensors: readonly SafetensorsTensor[],
    task: Task,
  ): Promise<void> {
    await writeSafetensors(join(this.path, "in", `${key}.safetensors`), tensors, {
      culprit: JSON.stringify(task),
    });
    const number = String(this.#count++).padStart(8, "0");
    await writeFile(join(this.path, "queue", `${number}+${request}+${key}`), "");
  }

  /** Keys of the chunks that are waiting or at work. */
  async queued(): Promise<ReadonlySet<string>> {
    const names = await readdir(join(this.path, "queue"));
    return new Set(names.map((name) => name.split("+")[2] ?? ""));
  }

  /** Takes a chunk away, done or not. */
  async take(key: string): Promise<void> {
    for (const name of await readdir(join(this.path, "queue"))) {
      if (name.endsWith(`+${key}`)) await rm(join(this.path, "queue", name), { force: true });
    }
    await rm(join(this.path, "in", `${key}.safetensors`), { force: true });
    await rm(join(this.path, "errors", `${key}.json`), { force: true });
  }

  /** A chunk of these that cannot be done, and why. */
  async failed(
    keys: ReadonlySet<string>,
  ): Promise<{ readonly key: string; readonly failure: SessionFailure } | undefined> {
    for (const name of await readdir(join(this.path, "errors"))) {
      const key = name.replace(/\.json$/, "");
      if (!name.endsWith(".json") || !keys.has(key)) continue;
      const failure = await readOwn(join(this.path, "errors", name), failureSchema);
      if (failure !== undefined) return { key, failure };
    }
    return undefined;
  }

  /** What the job is at; undefined before it has begun. */
  async state(): Promise<SessionState | undefined> {
    return readOwn(join(this.path, "state.json"), stateSchema);
  }

  /** Why the job cannot go on, where it said so. */
  async failure(): Promise<SessionFailure | undefined> {
    return readOwn(join(this.path, "failed.json"), failureSchema);
  }

  /** Tells the job that no more is needed. */
  async close(): Promise<void> {
    clearInterval(this.#beat);
    await writeFile(join(this.path, "close"), "");
  }

  async remove(): Promise<void> {
    clearInterval(this.#beat);
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Stops the jobs of sessions whose process on this machine has died, so that their workers make room. */
export async function clearDeadSessions(storage: string, client: JobsClient): Promise<void> {
  const sessions = join(storage, "sessions");
  for (const id of await readdir(sessions).catch(() => [])) {
    const owner = await readOwn(join(sessions, id, "session.json"), ownerSchema);
    if (owner?.host !== hostname() || isAlive(owner.pid)) continue;
    for (let attempt = 1; await client.state(jobId(id, attempt)); attempt++) {
      await client.stop(jobId(id, attempt));
    }
    await rm(join(sessions, id), { recursive: true, force: true });
  }
}

/** A session's job; after the death of its head or driver the next one. */
export const jobId = (session: string, attempt: number): string => `${session}-${attempt}`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // what kill throws
  }
}

/** A file of the session; undefined while it is not there. */
async function readOwn<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}
