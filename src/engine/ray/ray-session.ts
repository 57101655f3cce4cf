/** @file Chunks through a cluster: into the storage, done by the session's job, read back as they are finished. */
import { access, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { connectCluster } from "../../cluster/jobs-client.ts";
import { readWorkerPackage } from "../../cluster/worker-package.ts";
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
  #isBroken = false;

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
    const request = hashValue([...this.#decides, hash]).slice(0, 32);
    const place = join(this.#storage, "work", request);
    await mkdir(place, { recursive: true });
    const put = ({ key, tensors, task }: Chunk): Promise<void> =>
      this.#folder.put(request, key, tensors, { ...task, checkpoint, adapter });
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
          if (next.done === true) {
            hasMore = false;
            break;
          }
          const { key } = next.value;
          const same = open.get(key);
          open.set(key, [...(same ?? []), next.value]);
          if (same === undefined && !(await isThere(place, key))) await put(next.value);
        }
        if (open.size === 0 && !hasMore) break;
        // Before the results: what is in neither was finished by another run, which has taken it away since.
        const queued = await this.#folder.queued();
        const names = new Set(await readdir(place));
        const keys = [...open.keys()].filter((key) => names.has(`${key}.safetensors`));
        for (const key of keys) {
          const result = await readResult(join(place, `${key}.safetensors`));
          this.#tellMemory(result);
          this.#job.progressed();
          finished.push(key);
          const same = open.get(key)!; // a key of open
          open.delete(key);
          await this.#folder.take(key);
          for (const chunk of same) yield { chunk, result };
        }
        if (keys.length > 0) {
          pause = SHORTEST_MS;
          continue;
        }
        await this.#expectNoFailure(open);
        for (const [key, [chunk]] of open) if (!queued.has(key)) await put(chunk!); // one at least
        await this.#look(signal);
        await sleep(pause, undefined, { signal });
        pause = Math.min(LONGEST_MS, pause * 1.5);
      }
      for (const key of finished) await rm(join(place, `${key}.safetensors`), { force: true });
    } finally {
      // Of what was not done nothing stays; results do, for the next run.
      for (const key of open.keys()) await this.#folder.take(key).catch(() => undefined);
    }
  }

  /** Whether the job cannot go on: who needs one has to start another. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  async #look(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#job.look(this.note, signal);
    } catch (error) {
      this.#isBroken = signal?.aborted !== true;
      throw error;
    }
  }

  async #expectNoFailure(open: ReadonlyMap<string, readonly Chunk[]>): Promise<void> {
    const failed = await this.#folder.failed(new Set(open.keys()));
    if (failed === undefined) return;
    const { first, examples } = open.get(failed.key)![0]!; // one of these keys
    const { message, hint } = failed.failure;
    throw new RuntimeError(
      `cluster: examples ${first} to ${first + examples.length - 1}: ${message}`,
      { hint: hint || undefined },
    );
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

const isThere = (place: string, key: string): Promise<boolean> =>
  access(join(place, `${key}.safetensors`)).then(
    () => true,
    () => false,
  );
