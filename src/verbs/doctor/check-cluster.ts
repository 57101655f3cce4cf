/** @file Whether a Ray cluster would do what a run needs; what `culprit cluster check` prints, ten lines. */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { z } from "zod";

import { type ClusterNode, connectCluster, JobsClient } from "../../cluster/jobs-client.ts";
import { readWorkerPackage, REQUIREMENTS } from "../../cluster/worker-package.ts";
import { ConfigError, CulpritError, RuntimeError } from "../../util/errors.ts";
import { VERSION } from "../../util/version.ts";
import { type Finding, foundError } from "./finding.ts";

/** The version that all of it was tested with. */
const TESTED_RAY = "2.60.";
const JOB_SECONDS = 180;

const lookSchema = z.object({
  nodes: z.array(
    z.union([
      z.object({ node: z.string(), error: z.string() }),
      z.object({
        node: z.string(),
        python: z.string(),
        versions: z.record(z.string(), z.string()),
        missing: z.array(z.string()),
        gpus: z.array(z.string()),
        storage: z.string().nullable(),
      }),
    ]),
  ),
});
type Look = z.output<typeof lookSchema>["nodes"][number];
type Seen = Extract<Look, { python: string }>;

interface CheckOptions {
  /** Tried from every node. Default: not tried. */
  readonly storage?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Looks at a cluster from outside, and by one tiny job from inside; what later checks need and is not there ends the list. */
export async function checkCluster(address: string, options: CheckOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  let check = "address";
  try {
    const client = await connectCluster(address);
    const answer = await client.version(options.signal).catch((error: unknown) => {
      if (error instanceof ConfigError) check = "token";
      throw error;
    });
    const { ray, session } = answer;
    findings.push(ok(check, `${client.url.origin} answers (${session})`));
    check = "token";
    findings.push(await checkToken(client, options.signal));
    findings.push(checkVersion(ray));
    check = "nodes";
    const nodes = await client.nodes(options.signal);
    findings.push(checkNodes(nodes), checkGpus(nodes));
    check = "job";
    findings.push(...(await checkInside(client, options)));
  } catch (error) {
    findings.push(foundError(check, error));
  }
  return findings;
}

const ok = (check: string, found: string): Finding => ({ check, status: "ok", found });

/** Whether the cluster asks for a token at all: without one whoever reaches its ports can run anything there. */
async function checkToken(client: JobsClient, signal?: AbortSignal): Promise<Finding> {
  const isOpen = await new JobsClient(client.url, undefined).version(signal).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CulpritError) return false;
      throw error;
    },
  );
  if (!isOpen) return ok("token", "asked for, and yours is right");
  return {
    check: "token",
    status: "warning",
    found: "the cluster asks for none: whoever reaches its ports can run anything there",
    advice: "Start head and nodes with RAY_AUTH_MODE=token and a token, or keep the ports closed.",
  };
}

function checkVersion(ray: string): Finding {
  if (ray.startsWith(TESTED_RAY)) return ok("Ray", ray);
  const isOther = !ray.startsWith("2.");
  return {
    check: "Ray",
    status: isOther ? "fault" : "warning",
    found: `${ray}; ${TESTED_RAY}0 was tested`,
    advice: isOther ? "Use Ray 2." : "It may work; look at the job below.",
  };
}

function checkNodes(nodes: readonly ClusterNode[]): Finding {
  const alive = nodes.filter(({ isAlive }) => isAlive);
  const cpus = alive.reduce((sum, node) => sum + node.cpus, 0);
  const found = `${alive.length} alive with ${cpus} CPUs`;
  const dead = nodes.filter(({ isAlive }) => !isAlive);
  if (dead.length === 0) return ok("nodes", found);
  const why = dead.map(({ ip, message }) => `${ip} ${message}`.trim()).join("; ");
  return {
    check: "nodes",
    status: "warning",
    found: `${found}; dead: ${why}`,
    advice: "Work goes on without them; start them again if they are missed.",
  };
}

function checkGpus(nodes: readonly ClusterNode[]): Finding {
  const gpus = nodes.reduce((sum, { isAlive, gpus: own }) => sum + (isAlive ? own : 0), 0);
  return ok(
    "GPUs",
    gpus === 0 ? "none: device cpu alone will run" : `${gpus}: device cuda takes one a worker`,
  );
}

/** What one tiny job finds on every node. */
async function checkInside(
  client: JobsClient,
  { storage, signal }: CheckOptions,
): Promise<Finding[]> {
  const code = await readWorkerPackage();
  await client.upload(code, signal);
  const findings = [ok("package", `the worker's code is there, ${code.bytes.length} bytes`)];
  const probe = storage === undefined ? undefined : join(storage, `.culprit-check-${randomUUID()}`);
  try {
    if (probe !== undefined) await writeProbe(probe);
    const startMs = performance.now();
    const log = await runJob(client, code, probe, signal);
    findings.push(
      ok("job", `a tiny job ran in ${((performance.now() - startMs) / 1000).toFixed(1)} s`),
    );
    const looks = readLooks(log);
    const seen = looks.filter((each): each is Seen => "python" in each);
    const failed = looks.flatMap((each) =>
      "error" in each ? [`${each.node}: ${each.error}`] : [],
    );
    if (failed.length > 0) {
      findings.push({
        check: "tasks",
        status: "fault",
        found: failed.join("; "),
        advice: "Look at those nodes' logs in the dashboard.",
      });
    }
    findings.push(checkPython(seen), checkPackages(seen), checkStorage(seen, storage));
  } finally {
    if (probe !== undefined) await rm(probe, { force: true });
  }
  return findings;
}

async function writeProbe(path: string): Promise<void> {
  await writeFile(path, "culprit").catch((error: NodeJS.ErrnoException) => {
    throw new RuntimeError(`${path}: cannot be written from here (${error.code})`, {
      hint: "storage has to be an existing folder that this machine may write to.",
      cause: error,
    });
  });
}

async function runJob(
  client: JobsClient,
  code: Awaited<ReturnType<typeof readWorkerPackage>>,
  probe: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const id = `culprit-check-${randomUUID()}`;
  const environment: Record<string, string> =
    probe === undefined ? {} : { CULPRIT_STORAGE_PROBE: probe };
  const entrypoint = "python -m culprit_worker check";
  await client.submit(
    { id, entrypoint, package: code, environment, metadata: { culprit: VERSION } },
    signal,
  );
  for (let waited = 0; waited < JOB_SECONDS * 2; waited++) {
    const state = await client.state(id, signal);
    const log =
      state?.status === "SUCCEEDED" || state?.status === "FAILED"
        ? await client.logs(id, signal)
        : "";
    if (state?.status === "SUCCEEDED") return log;
    if (state?.status === "FAILED") {
      throw new RuntimeError(`the tiny job failed: ${state.message}; ${log.slice(-1500)}`, {
        hint: `The nodes' Python needs the packages of ${REQUIREMENTS}.`,
      });
    }
    await sleep(500, undefined, { signal });
  }
  await client.stop(id);
  throw new RuntimeError(`the tiny job did not end in ${JOB_SECONDS} s`, {
    hint: "The cluster may be full, or its nodes cannot reach each other; see its dashboard.",
  });
}

/** See workers/ray/culprit_worker/check.py for the line. */
function readLooks(log: string): readonly Look[] {
  const line = log.split("\n").findLast((each) => each.includes("CULPRIT-CHECK "));
  if (line === undefined) throw new RuntimeError(`the tiny job said nothing: ${log.slice(-1000)}`);
  return lookSchema.parse(JSON.parse(line.slice(line.indexOf("{")))).nodes;
}

const unique = (values: readonly string[]): string => [...new Set(values)].toSorted().join(", ");

function checkPython(seen: readonly Seen[]): Finding {
  const found = unique(seen.map(({ python }) => python));
  const isOld = seen.some(({ python }) => Number(python.split(".")[1]) < 10);
  if (isOld)
    return {
      check: "Python",
      status: "fault",
      found,
      advice: "The worker needs Python 3.10 or newer.",
    };
  return ok("Python", found);
}

function checkPackages(seen: readonly Seen[]): Finding {
  const check = "packages";
  const missing = seen.flatMap((each) => each.missing.map((what) => `${each.node}: ${what}`));
  if (missing.length > 0) {
    const advice = `On every node: pip install -r ${REQUIREMENTS}`;
    return { check, status: "fault", found: missing.join("; "), advice };
  }
  const sets = seen.map(({ versions }) =>
    Object.entries(versions)
      .map((each) => each.join(" "))
      .join(", "),
  );
  const found = [...new Set(sets)].join(" | ");
  if (new Set(sets).size <= 1) return ok(check, found);
  return {
    check,
    status: "warning",
    found,
    advice: "Give all nodes the same versions: results may differ by rounding.",
  };
}

function checkStorage(seen: readonly Seen[], storage: string | undefined): Finding {
  const check = "storage";
  if (storage === undefined) {
    return {
      check,
      status: "warning",
      found: "not tried",
      advice: "Give --storage DIR, the folder that a run will use.",
    };
  }
  const bad = seen.filter((each) => each.storage !== "ok");
  if (bad.length === 0) return ok(check, `${storage} can be read and written on every node`);
  const found = bad.map(({ node, storage: why }) => `${node}: ${why}`).join("; ");
  return {
    check,
    status: "fault",
    found,
    advice:
      "Every node has to see the folder under the same path, by NFS say, and may write there.",
  };
}
