/** @file Ray's Jobs API: what a job is started, watched and stopped by. */
import { setTimeout as sleep } from "node:timers/promises";

import { z } from "zod";

import { RuntimeError, UnsupportedError } from "../util/errors.ts";
import { readAuthToken } from "./auth-token.ts";
import { clusterUrl } from "./cluster-address.ts";
import { askCluster, type ClusterAnswer, type ClusterRequest } from "./cluster-request.ts";
import type { WorkerPackage } from "./worker-package.ts";

const versionSchema = z.object({ ray_version: z.string(), session_name: z.string() });
const jobSchema = z.object({
  status: z.enum(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]),
  message: z.string().nullish(),
  driver_exit_code: z.number().nullish(),
});
const nodesSchema = z.object({
  data: z.object({
    result: z.object({
      result: z.array(
        z.object({
          node_id: z.string(),
          node_ip: z.string().nullish(),
          is_head_node: z.boolean().nullish(),
          state: z.string(),
          state_message: z.string().nullish(),
          resources_total: z.record(z.string(), z.number()).nullish(),
        }),
      ),
    }),
  }),
});
const logsSchema = z.object({ logs: z.string() });

export interface ClusterVersion {
  readonly ray: string;
  /** Another after each start of the head. */
  readonly session: string;
}

export interface JobState {
  readonly status: "PENDING" | "RUNNING" | "STOPPED" | "SUCCEEDED" | "FAILED";
  readonly message: string;
  /** Of the job's process, where it has ended by itself. */
  readonly exitCode: number | undefined;
}

export interface ClusterNode {
  readonly id: string;
  readonly ip: string;
  readonly isAlive: boolean;
  /** Why it is not. */
  readonly message: string;
  readonly cpus: number;
  readonly gpus: number;
}

export interface Job {
  /** Letters, digits, _ and - only. */
  readonly id: string;
  /** A command line; it runs in the package's folder. */
  readonly entrypoint: string;
  readonly package: WorkerPackage;
  readonly environment: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The head answers before it knows of its own node, and before that has an agent to start jobs. */
const STARTING = /not yet been persisted|No available agent/;
const STARTING_ATTEMPTS = 20;
const STARTING_PAUSE_MS = 500;

/** A cluster's Jobs API. Every method may throw ConfigError for the token and UnreachableError where nothing answers. */
export class JobsClient {
  readonly url: URL;
  readonly #token: string | undefined;

  /** Use `connectCluster`. */
  constructor(url: URL, token: string | undefined) {
    this.url = url;
    this.#token = token;
  }

  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  async version(signal?: AbortSignal): Promise<ClusterVersion> {
    const answer = await this.#ask({ method: "GET", path: "/api/version", signal });
    const { ray_version: ray, session_name: session } = this.#read(
      versionSchema,
      answer,
      "version",
    );
    return { ray, session };
  }

  /** Sends a package unless the cluster has it; a new head has none. */
  async upload({ uri, bytes }: WorkerPackage, signal?: AbortSignal): Promise<void> {
    const path = `/api/packages/${uri.replace("://", "/")}`;
    const known = await this.#ask({ method: "GET", path, signal });
    if (known.status === 200) return;
    const answer = await this.#ask({ method: "PUT", path, body: bytes, signal });
    if (answer.status !== 200) throw this.#unexpected(answer, "the upload of the worker package");
  }

  /** Starts a job. One with this id that is there already is the same job, submitted twice: that is no error. */
  async submit(job: Job, signal?: AbortSignal): Promise<void> {
    if (!/^[\w-]+$/.test(job.id)) throw new Error(`internal: job id ${job.id}`);
    const body = {
      entrypoint: job.entrypoint,
      submission_id: job.id,
      runtime_env: { working_dir: job.package.uri, env_vars: job.environment },
      metadata: job.metadata,
    };
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#ask({ method: "POST", path: "/api/jobs/", body, signal });
      if (answer.status === 200 || isAlreadyThere(answer)) return;
      if (!STARTING.test(answer.text) || attempt === STARTING_ATTEMPTS) {
        throw this.#unexpected(answer, "the job");
      }
      await sleep(STARTING_PAUSE_MS, undefined, { signal });
    }
  }

  /** Undefined where the cluster knows of no such job, as after a restart of its head. */
  async state(id: string, signal?: AbortSignal): Promise<JobState | undefined> {
    const answer = await this.#ask({ method: "GET", path: `/api/jobs/${id}`, signal });
    if (answer.status === 404) return undefined;
    const found = this.#read(jobSchema, answer, "the state of a job");
    return {
      status: found.status,
      message: found.message ?? "",
      exitCode: found.driver_exit_code ?? undefined,
    };
  }

  /** Asks a job to stop; nothing happens where it has ended or is not known. */
  async stop(id: string): Promise<void> {
    await this.#ask({ method: "POST", path: `/api/jobs/${id}/stop` });
  }

  /** All that a job has printed. */
  async logs(id: string, signal?: AbortSignal): Promise<string> {
    const answer = await this.#ask({ method: "GET", path: `/api/jobs/${id}/logs`, signal });
    return answer.status === 404 ? "" : this.#read(logsSchema, answer, "the log of a job").logs;
  }

  async nodes(signal?: AbortSignal): Promise<readonly ClusterNode[]> {
    const answer = await this.#ask({ method: "GET", path: "/api/v0/nodes", signal });
    const { data } = this.#read(nodesSchema, answer, "the list of nodes");
    return data.result.result.map((node) => ({
      id: node.node_id,
      ip: node.node_ip ?? "",
      isAlive: node.state === "ALIVE",
      message: node.state_message ?? "",
      cpus: node.resources_total?.["CPU"] ?? 0,
      gpus: node.resources_total?.["GPU"] ?? 0,
    }));
  }

  #ask(request: Omit<ClusterRequest, "token">): Promise<ClusterAnswer> {
    return askCluster(this.url, { ...request, token: this.#token });
  }

  #read<T>(schema: z.ZodType<T>, answer: ClusterAnswer, what: string): T {
    if (answer.status !== 200) throw this.#unexpected(answer, what);
    let value: unknown;
    try {
      value = JSON.parse(answer.text);
    } catch {
      throw this.#unexpected(answer, what);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new UnsupportedError(
      `${this.url.origin}: ${what}: expected what Ray's Jobs API says, got ${answer.text.slice(0, 200)}`,
      { hint: "Is this the address of Ray's dashboard? Ray 2.60 was tested." },
    );
  }

  #unexpected({ status, text }: ClusterAnswer, what: string): RuntimeError {
    return new RuntimeError(
      `${this.url.origin}: ${what}: expected status 200, got ${status}: ${text.slice(0, 1000)}`,
      { hint: "Is this the address of Ray's dashboard? culprit cluster check says more." },
    );
  }
}

/** Ray says so with status 500. */
const isAlreadyThere = ({ status, text }: ClusterAnswer): boolean =>
  status === 500 && text.includes("already exists");

/** A client for the cluster at an address, with the token of the environment. */
export async function connectCluster(address: string): Promise<JobsClient> {
  return new JobsClient(clusterUrl(address), await readAuthToken());
}
