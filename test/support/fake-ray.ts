/**
 * @file Ray's Jobs API on 127.0.0.1 as Ray 2.60 was seen to answer: statuses, bodies and oddities. It runs nothing; tests say what
 * becomes of jobs. What real jobs do is tested by `npm run test:cluster`.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

export interface FakeJob {
  readonly body: Readonly<Record<string, unknown>>;
  status: string;
  exitCode?: number;
  logs?: string;
}

export interface FakeRay {
  readonly url: string;
  readonly jobs: Map<string, FakeJob>;
  readonly packages: Map<string, Buffer>;
  /** Submissions that answer as a head does in its first seconds. */
  startingPosts: number;
  /** What becomes of a job as soon as it is submitted. Default: it runs on. */
  fate: Partial<FakeJob>;
  /** As after the death and restart of the head. */
  forget(): void;
  close(): Promise<void>;
}

/** Starts it for one test; `token` is what it asks for. */
export async function startFakeRay(token?: string): Promise<FakeRay> {
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ray: FakeRay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    jobs: new Map(),
    packages: new Map(),
    startingPosts: 0,
    fate: {},
    forget: () => {
      ray.jobs.clear();
      ray.packages.clear();
    },
    close: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  onTestFinished(() => ray.close());

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set
    const { status, body } = answer(request, Buffer.concat(chunks));
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  }

  function answer(
    { method = "", url = "", headers }: IncomingMessage,
    sent: Buffer,
  ): { status: number; body: unknown } {
    // A browser's header: every way of changing something is refused.
    if (headers["sec-fetch-mode"] !== undefined && method !== "GET") {
      return { status: 405, body: "405: Method Not Allowed" };
    }
    if (token !== undefined && headers.authorization === undefined) {
      return { status: 401, body: "Unauthorized: Missing authentication token" };
    }
    if (token !== undefined && headers.authorization !== `Bearer ${token}`) {
      return { status: 403, body: "Forbidden: Invalid authentication token" };
    }
    if (url === "/api/version") {
      return {
        status: 200,
        body: { version: "4", ray_version: "2.60.0", session_name: "session_1" },
      };
    }
    if (url === "/api/v0/nodes") return { status: 200, body: NODES };
    if (url.startsWith("/api/packages/gcs/_ray_pkg_")) {
      if (method === "PUT") ray.packages.set(url, sent);
      return { status: ray.packages.has(url) ? 200 : 404, body: "" };
    }
    if (method === "POST" && url === "/api/jobs/")
      return submit(JSON.parse(sent.toString()) as Body);
    const [, id = "", action] = /^\/api\/jobs\/([\w-]+)(?:\/(\w+))?$/.exec(url) ?? [];
    const job = ray.jobs.get(id);
    if (job === undefined) return { status: 404, body: `Job ${id} does not exist` };
    if (action === "logs") return { status: 200, body: { logs: job.logs ?? "" } };
    if (action === "stop") {
      const isRunning = job.status === "RUNNING";
      if (isRunning) job.status = "STOPPED";
      return { status: 200, body: { stopped: isRunning } };
    }
    const { status, exitCode = null } = job;
    return {
      status: 200,
      body: {
        type: "SUBMISSION",
        submission_id: id,
        status,
        message: "said so",
        driver_exit_code: exitCode,
      },
    };
  }

  type Body = Record<string, unknown> & { submission_id: string };

  function submit(body: Body): { status: number; body: unknown } {
    if (ray.startingPosts > 0) {
      ray.startingPosts--;
      return { status: 500, body: "Traceback …: Head node id has not yet been persisted in GCS" };
    }
    const id = body.submission_id;
    if (ray.jobs.has(id)) {
      return { status: 500, body: `Traceback …: Job with submission_id ${id} already exists.` };
    }
    ray.jobs.set(id, { body, status: "RUNNING", ...ray.fate });
    return { status: 200, body: { job_id: id, submission_id: id } };
  }

  return ray;
}

/** As Ray answers, but for ids and addresses. */
const NODES = {
  result: true,
  msg: "",
  data: {
    result: {
      total: 2,
      result: [
        {
          node_id: "a1",
          node_ip: "127.0.0.1",
          is_head_node: true,
          state: "ALIVE",
          state_message: null,
          resources_total: { CPU: 2, memory: 1e9, object_store_memory: 1e8 },
        },
        {
          node_id: "b2",
          node_ip: "127.0.0.2",
          is_head_node: false,
          state: "DEAD",
          state_message: "health check failed",
          resources_total: {},
        },
      ],
    },
  },
};
