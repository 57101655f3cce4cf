/** @file The job of a session: started, looked after, started again where it died, and stopped. */
import { setTimeout as sleep } from "node:timers/promises";

import { UnreachableError } from "../../cluster/cluster-request.ts";
import type { JobsClient, JobState } from "../../cluster/jobs-client.ts";
import { REQUIREMENTS, type WorkerPackage } from "../../cluster/worker-package.ts";
import { ConfigError, RuntimeError } from "../../util/errors.ts";
import { VERSION } from "../../util/version.ts";
import { jobId, type SessionFolder } from "./session-folder.ts";

/** As workers/ray/culprit_worker/__main__.py ends where the session's folder is not to be seen. */
const EXIT_UNSEEN = 43;
const EXIT_FAULT = 44;
const LOOK_EVERY_MS = 1000;
/** How long a cluster may be away before the work is given up; a head is back within seconds. */
const AWAY_MS = 10 * 60_000;
/** Jobs that may die one after another without a chunk done in between. */
const MAX_DEATHS = 3;
const SLOW_START_MS = 20_000;
const CLOSE_MS = 5000;

type Note = (line: string) => void;

/** A job that is there as long as it is needed. */
export class WatchedJob {
  readonly #client: JobsClient;
  readonly #folder: SessionFolder;
  readonly #package: WorkerPackage;
  readonly #environment: Readonly<Record<string, string>>;
  /** Who hears of news now. */
  #note: Note = () => undefined;
  #attempt = 0;
  #deaths = 0;
  #lookedAt = 0;
  #startedAt = 0;
  #awaySince: number | undefined;
  #told = "";

  constructor(
    client: JobsClient,
    folder: SessionFolder,
    how: {
      readonly package: WorkerPackage;
      readonly environment: Readonly<Record<string, string>>;
    },
  ) {
    this.#client = client;
    this.#folder = folder;
    this.#package = how.package;
    this.#environment = how.environment;
  }

  /** Submits the job's next attempt. */
  async start(note: Note, signal?: AbortSignal): Promise<void> {
    this.#note = note;
    await this.#client.upload(this.#package, signal);
    this.#attempt++;
    await this.#client.submit(
      {
        id: jobId(this.#folder.id, this.#attempt),
        entrypoint: "python -m culprit_worker session",
        package: this.#package,
        environment: { ...this.#environment, CULPRIT_SESSION: this.#folder.path },
        metadata: { culprit: VERSION },
      },
      signal,
    );
    this.#startedAt = performance.now();
  }

  /** A chunk was done: what died before died of something else. */
  progressed(): void {
    this.#deaths = 0;
  }

  /**
   * Looks after the job, once a second at most. Starts it again where it or its head died. Throws where it cannot go on: ConfigError
   * for the token or a storage that the cluster does not see, RuntimeError else.
   */
  async look(note: Note, signal: AbortSignal | undefined): Promise<void> {
    this.#note = note;
    if (performance.now() - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = performance.now();
    try {
      const state = await this.#client.state(this.#id, signal);
      this.#isBack();
      await this.#react(state, signal);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      this.#isAway(error);
    }
  }

  get #id(): string {
    return jobId(this.#folder.id, this.#attempt);
  }

  async #react(state: JobState | undefined, signal: AbortSignal | undefined): Promise<void> {
    switch (state?.status) {
      case "PENDING":
      case "RUNNING":
        return this.#tellState();
      case undefined:
        this.#note("the cluster's head was started anew: the work goes on with what is missing");
        return this.start(this.#note, signal);
      case "STOPPED":
        throw new RuntimeError(`${this.#id}: the job was stopped from outside`, {
          hint: "What is finished stays; the same command goes on from there.",
        });
      case "SUCCEEDED":
        // Without a sign of life from here, as while this machine slept.
        return this.start(this.#note, signal);
      case "FAILED":
        return this.#failed(state, signal);
    }
  }

  async #failed(state: JobState, signal: AbortSignal | undefined): Promise<void> {
    const failure = await this.#folder.failure();
    if (failure !== undefined) {
      throw new RuntimeError(`cluster: ${failure.message}`, { hint: failure.hint || undefined });
    }
    const log = (await this.#client.logs(this.#id, signal)).trim();
    if (state.exitCode === EXIT_UNSEEN) {
      throw new ConfigError(`storage: ${this.#folder.path} cannot be seen on the cluster`, {
        hint: "storage has to be a folder that this machine and every node see under the same path, NFS say; culprit cluster check tries it.",
      });
    }
    const said = log.split("\n").findLast((line) => line.startsWith("culprit: "));
    if (state.exitCode === EXIT_FAULT && said !== undefined) {
      throw new RuntimeError(`cluster: ${said.slice("culprit: ".length)}`, {
        hint: `Nodes need the packages of ${REQUIREMENTS}; culprit cluster check says which are missing.`,
      });
    }
    this.#deaths++;
    if (this.#deaths > MAX_DEATHS) {
      throw new RuntimeError(
        `${this.#id}: the job died ${this.#deaths} times: ${state.message}\n${log.slice(-3000)}`,
        { hint: "Look at the cluster's dashboard; culprit cluster check says what is missing." },
      );
    }
    this.#note("the cluster's job died and is started again; finished chunks stay");
    await this.start(this.#note, signal);
  }

  #isBack(): void {
    if (this.#awaySince === undefined) return;
    this.#note("the cluster answers again");
    this.#awaySince = undefined;
  }

  #isAway(error: UnreachableError): void {
    const now = performance.now();
    if (this.#awaySince === undefined) {
      this.#awaySince = now;
      this.#note(`${error.message}; waiting up to ${AWAY_MS / 60_000} minutes for it`);
    }
    if (now - this.#awaySince > AWAY_MS) throw error;
  }

  /** What is missing where no worker has begun. */
  async #tellState(): Promise<void> {
    if (performance.now() - this.#startedAt < SLOW_START_MS) return;
    const state = await this.#folder.state();
    if (state === undefined || state.ready > 0 || state.free === undefined) return;
    const { CPU, GPU } = state.free;
    const line = `none of ${state.workers} workers has begun: they load, or wait; free on the cluster: ${CPU} CPUs, ${GPU} GPUs`;
    if (line !== this.#told) this.#note(line);
    this.#told = line;
  }

  /** Ends the job: by its own will, or after some seconds by force. */
  async end(): Promise<void> {
    await this.#folder.close();
    const deadline = performance.now() + CLOSE_MS;
    try {
      while (performance.now() < deadline) {
        const state = await this.#client.state(this.#id);
        if (state?.status !== "RUNNING" && state?.status !== "PENDING") return;
        if (state.status === "PENDING") break;
        await sleep(100);
      }
      await this.#client.stop(this.#id);
    } catch (error) {
      // The cluster is gone, and the job with it.
      if (!(error instanceof UnreachableError)) throw error;
    } finally {
      await this.#folder.remove();
    }
  }
}
