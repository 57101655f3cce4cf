/** @file Chunks through a cluster: into the storage, done by the session's job, read back as they are finished. */
import { access, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { connectCluster } from "../../cluster/jobs-client.ts";
import { readWorkerPackage } from "../../cluster/worker-package.ts";
import { writeSafetensors } from "../../format/safetensors.ts";
import { RuntimeError, UnsupportedError } from "../../util/errors.ts";
import { hashValue } from "../../util/hash.ts";
import type { Chunk } from "./ray-chunks.ts";
import type { RaySettings } from "./ray-options.ts";
import { type ChunkResult, readResult } from "./ray-results.ts";
import { clearDeadSessions, PROTOCOL, SessionFolder } from "./session-folder.ts";
import { WatchedJob } from "./watch-job.ts";

/** Chunks in the storage at once; memory does not grow with the number of examples. */
const WINDOW = 256;
/** How often finished chunks are looked for: at first quickly, for small ones. */
const [SHORTEST_MS, LONGEST_MS] = [20, 500];

/** A checkpoint in the storage, and the hash that stands for it. */
export interface SessionSubject {
  /** In the storage. */
  readonly checkpoint: string;
  readonly adapter: string | undefined;
  /** Of the weights with the adapter merged. */
  readonly hash: string;
}

/** A chunk and what was found for it. */
export interface Done {
  readonly chunk: Chunk;
  readonly result: ChunkResult;
}

/** A job on the cluster whose workers do chunks of any checkpoint. Dispose of it to free the cluster. */
export class RaySession implements AsyncDisposable {
  readonly #folder: SessionFolder;
  readonly #job: WatchedJob;
  readonly #storage: string;
  /** What decides results beside checkpoint and chunk. */
  readonly #decides: readonly unknown[];
  /** Who hears of news: the engine at work. */
  note: (line: string) => void;
  #count = 0;

  private constructor(
    folder: SessionFolder,
    job: WatchedJob,
    of: {
      readonly storage: string;
      readonly decides: readonly unknown[];
      readonly note: (line: string) => void;
    },
  ) {
    this.#folder = folder;
    this.#job = job;
    this.#storage = of.storage;
    this.#decides = of.decides;
    this.note = of.note;
  }

  /** Starts the job. */
  static async open(
    settings: RaySettings,
    note: (line: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<RaySession> {
    const { address, storage, precision: dtype, device, threads, batchTokens, workers } = settings;
    const client = await connectCluster(address);
    const { ray } = await client.version(signal);
    if (!ray.startsWith("2.")) {
      throw new UnsupportedError(`${address}: expected Ray 2, got ${ray}`, {
        hint: "Ray 2.60 was tested.",
      });
    }
    await clearDeadSessions(storage, client);
    const wish = { dtype, device, threads, batchTokens, workers };
    const folder = await SessionFolder.create(storage, wish);
    const code = await readWorkerPackage();
    const environment = { OMP_NUM_THREADS: String(threads), HF_HUB_OFFLINE: "1" };
    const job = new WatchedJob(client, folder, { package: code, environment });
    const decides = [PROTOCOL, code.hash, dtype, device, threads, batchTokens];
    const session = new RaySession(folder, job, { storage, decides, note });
    await job.start(note, signal).catch(async (error: unknown) => {
      await folder.remove();
      throw error;
    });
    return session;
  }

  /**
   * Has chunks done and gives them back as they are finished. Results of chunks that an earlier run had done are taken as they are; all
   * stay in the storage until the last one is read, for whoever goes on after a kill.
   */
  async *run(
    { hash, checkpoint, adapter }: SessionSubject,
    chunks: Iterable<Chunk>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Done, void, undefined> {
    const base = hashValue([...this.#decides, hash]).slice(0, 32);
    const work = join(this.#storage, "work", base);
    await mkdir(work, { recursive: true });
    const waiting = chunks[Symbol.iterator]();
    const open = new Map<string, Chunk[]>();
    const finished: string[] = [];
    let hasMore = true;
    let pause = SHORTEST_MS;
    try {
      for (;;) {
        signal?.throwIfAborted();
        while (hasMore && open.size < WINDOW) {
          const next = waiting.next();
          if (next.done === true) hasMore = false;
          else await this.#put(work, next.value, open, { checkpoint, adapter });
        }
        if (open.size === 0 && !hasMore) break;
        const names = new Set(await readdir(work));
        const keys = [...open.keys()].filter((key) => names.has(`${key}.out.safetensors`));
        for (const key of keys) {
          const result = await readResult(join(work, `${key}.out.safetensors`));
          this.#tellMemory(result);
          this.#job.progressed();
          finished.push(key);
          const same = open.get(key)!; // a key of open
          open.delete(key);
          for (const chunk of same) yield { chunk, result };
        }
        if (keys.length > 0) {
          pause = SHORTEST_MS;
          continue;
        }
        const failed = [...open.keys()].find((key) => names.has(`${key}.error.json`));
        if (failed !== undefined) throw await readFailure(work, failed, open.get(failed)![0]!);
        await this.#job.look(this.note, signal);
        await sleep(pause, undefined, { signal });
        pause = Math.min(LONGEST_MS, pause * 1.5);
      }
      for (const key of finished) await removeChunk(work, key);
    } finally {
      // Of what was not done nothing stays; results do, for the next run.
      for (const key of open.keys()) await this.#takeBack(work, key);
    }
  }

  async #put(
    work: string,
    chunk: Chunk,
    open: Map<string, Chunk[]>,
    where: Omit<SessionSubject, "hash">,
  ): Promise<void> {
    const { key, tensors, task } = chunk;
    const same = open.get(key);
    if (same !== undefined) return void same.push(chunk);
    open.set(key, [chunk]);
    const isDone = await access(join(work, `${key}.out.safetensors`)).then(
      () => true,
      () => false,
    );
    if (isDone) return;
    await rm(join(work, `${key}.error.json`), { force: true });
    await writeSafetensors(join(work, `${key}.in.safetensors`), tensors, {
      culprit: JSON.stringify({ ...task, ...where }),
    });
    await this.#folder.enqueue(this.#queueName(work, key));
  }

  #queueName(work: string, key: string): string {
    const number = String(this.#count++).padStart(8, "0");
    return `${number}+${work.split(/[/\\]/).at(-1)!}+${key}`; // a path has a last part
  }

  async #takeBack(work: string, key: string): Promise<void> {
    const queue = join(this.#folder.path, "queue");
    for (const name of await readdir(queue).catch(() => [])) {
      if (name.endsWith(`+${key}`)) await this.#folder.dequeue(name);
    }
    await rm(join(work, `${key}.in.safetensors`), { force: true });
  }

  #tellMemory({ about }: ChunkResult): void {
    for (const size of about.outOfMemory ?? []) {
      this.note(
        `out of memory on the cluster with batches of ${size}: that worker goes on with half of it`,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#job.end();
  }
}

async function removeChunk(work: string, key: string): Promise<void> {
  for (const ending of ["in.safetensors", "out.safetensors", "error.json"]) {
    await rm(join(work, `${key}.${ending}`), { force: true });
  }
}

async function readFailure(work: string, key: string, chunk: Chunk): Promise<RuntimeError> {
  const text = await readFile(join(work, `${key}.error.json`), "utf8");
  const { message, hint } = JSON.parse(text) as { message: string; hint: string }; // the worker's own
  await removeChunk(work, key);
  const last = chunk.first + chunk.examples.length - 1;
  return new RuntimeError(`cluster: examples ${chunk.first} to ${last}: ${message}`, {
    hint: hint || undefined,
  });
}
