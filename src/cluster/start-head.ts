/** @file A Ray head on this machine, as one process that is ours to end. `ray stop` is never used: it ends every Ray of the machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { ConfigError, RuntimeError } from "../util/errors.ts";
import { UnreachableError } from "./cluster-request.ts";
import { freePort } from "./free-port.ts";
import { JobsClient } from "./jobs-client.ts";
import { pathWith } from "./python-environment.ts";

const START_SECONDS = 120;
const END_MS = 10_000;
/** Paths of Ray's sockets may have 107 bytes, most of which its own names take. */
const LONGEST_FOLDER = 30;
/** The death of a node is seen after some 3 s rather than after 30. */
const QUICK_HEALTH = {
  RAY_health_check_initial_delay_ms: "1000",
  RAY_health_check_period_ms: "1000",
  RAY_health_check_timeout_ms: "2000",
  RAY_health_check_failure_threshold: "3",
};

export interface HeadSettings {
  /** A virtual environment with Ray. */
  readonly environment: string;
  readonly token: string;
  /** Of the dashboard, where jobs are submitted. */
  readonly port: number;
  /** Of Ray itself, where other nodes join. */
  readonly nodePort: number;
  readonly cpus: number;
  readonly signal?: AbortSignal | undefined;
}

/** A head that runs until it is disposed of. */
export interface Head extends AsyncDisposable {
  readonly address: string;
  /** Of the supervising process. */
  readonly pid: number;
  /** Resolves when it ends by itself, with the end of what it printed. */
  readonly ended: Promise<string>;
}

/** Starts a head and waits until it takes jobs. Throws ConfigError where the port is taken, RuntimeError where it does not start. */
export async function startHead(settings: HeadSettings): Promise<Head> {
  const { environment, token, port, nodePort, cpus, signal } = settings;
  const address = `http://127.0.0.1:${port}`;
  const client = new JobsClient(new URL(address), token);
  await expectFree(client);
  const base = tmpdir().length <= LONGEST_FOLDER ? tmpdir() : "/tmp";
  const folder = await mkdtemp(join(base, "culprit-ray-"));
  const words = [
    ["start", "--head", "--block", "--disable-usage-stats", `--temp-dir=${folder}`],
    [`--port=${nodePort}`, `--dashboard-port=${port}`, "--dashboard-host=127.0.0.1"],
    // Not Ray's own choices: a second head on a machine would find them taken, and no job would ever start.
    [`--dashboard-agent-listen-port=${await freePort()}`],
    [`--ray-client-server-port=${await freePort()}`],
    [`--num-cpus=${cpus}`, "--object-store-memory=100000000"],
  ].flat();
  const child = spawn(join(environment, "bin", "ray"), words, {
    // A group of its own: Ctrl-C goes to us, and we end it in order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      ...QUICK_HEALTH,
      PATH: pathWith(environment),
      RAY_AUTH_MODE: "token",
      RAY_AUTH_TOKEN: token,
      RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S: "0",
    },
  });
  const ended = outputOf(child);
  const dispose = async (): Promise<void> => {
    await endGroup(child);
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await answering(client, child, ended, signal);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { address, pid: child.pid!, ended, [Symbol.asyncDispose]: dispose }; // it has started
}

/** The token of a file, made where there is none; only its owner may read it. */
export async function ownToken(path: string): Promise<string> {
  const there = await readFile(path, "utf8").catch(() => "");
  if (there.trim() !== "") return there.trim();
  const token = randomBytes(32).toString("hex");
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  return token;
}

async function expectFree(client: JobsClient): Promise<void> {
  const answer = await client.version().catch((error: unknown) => error);
  if (answer instanceof UnreachableError) return;
  throw new ConfigError(`--port: something answers at ${client.url.origin} already`, {
    hint: "It may be a cluster that runs: culprit cluster check tries it. Else give another --port.",
  });
}

/** The end of what a process prints, when it has ended. */
function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => (text = (text + chunk).slice(-4000)));
  }
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(`${text}${error.message}`));
    child.on("close", () => resolve(text));
  });
}

async function answering(
  client: JobsClient,
  child: ChildProcess,
  ended: Promise<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let output: string | undefined;
  void ended.then((text) => (output = text));
  for (let waited = 0; waited < START_SECONDS * 2; waited++) {
    signal?.throwIfAborted();
    if (output !== undefined || child.exitCode !== null) {
      throw new RuntimeError(`ray start: the head ended: ${(await ended).trim()}`, {
        hint: "Give another --port and --node-port where one is taken.",
      });
    }
    const isThere = await client.nodes(signal).then(
      (nodes) => nodes.some(({ isAlive }) => isAlive),
      (error: unknown) => {
        if (error instanceof RuntimeError) return false;
        throw error;
      },
    );
    if (isThere) return;
    await sleep(500, undefined, { signal });
  }
  throw new RuntimeError(`ray start: no answer in ${START_SECONDS} s`);
}

/** Ends a process group that we started: Ray's processes are told by their parent, what is left is killed. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "exit");
  child.kill("SIGTERM");
  await Promise.race([closed, sleep(END_MS)]);
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody is left of it.
  }
}
