import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, expect, it, vi } from "vitest";

import { temporaryFolder } from "../../../test/support/data-files.ts";
import { expectFailure } from "../../../test/support/errors.ts";
import { type FakeJob, type FakeRay, startFakeRay } from "../../../test/support/fake-ray.ts";
import { JobsClient } from "../../cluster/jobs-client.ts";
import { readWorkerPackage } from "../../cluster/worker-package.ts";
import { ConfigError, RuntimeError } from "../../util/errors.ts";
import { clearDeadSessions, SessionFolder } from "./session-folder.ts";
import { WatchedJob } from "./watch-job.ts";

const WISH = { dtype: "F32", device: "cpu", threads: 1, batchTokens: 1024, workers: undefined };

interface Watched {
  readonly ray: FakeRay;
  readonly folder: SessionFolder;
  readonly job: WatchedJob;
  readonly notes: string[];
  /** Looks at once, as if a second had passed. */
  readonly look: () => Promise<void>;
  readonly current: () => FakeJob;
}

async function watched(): Promise<Watched> {
  const ray = await startFakeRay();
  const client = new JobsClient(new URL(ray.url), undefined);
  const folder = await SessionFolder.create(await temporaryFolder(), WISH);
  const notes: string[] = [];
  const note = (line: string): void => void notes.push(line);
  const job = new WatchedJob(client, folder, {
    package: await readWorkerPackage(),
    environment: {},
  });
  await job.start(note);
  let now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const look = (): Promise<void> => {
    now += 2000;
    return job.look(note, undefined);
  };
  const current = (): FakeJob => [...ray.jobs.values()].at(-1)!;
  return { ray, folder, job, notes, look, current };
}

afterEach(() => void vi.restoreAllMocks());

it("submits the work again, under another id, where the head was started anew", async () => {
  const { ray, look, notes, folder } = await watched();
  await look();
  expect(notes).toEqual([]);
  ray.forget();
  await look();
  expect([...ray.jobs.keys()]).toEqual([`${folder.id}-2`]);
  expect(ray.packages.size).toBe(1);
  expect(notes.join()).toMatch(/started anew/);
});

it("waits for a head that is away", async () => {
  const { ray, look, notes } = await watched();
  await ray.close();
  await look();
  await look();
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/no cluster answers.*waiting/);
});

it("starts a job that died again, some times, and then shows its log", async () => {
  const { ray, look, current, job } = await watched();
  const die = async (): Promise<void> => {
    Object.assign(current(), { status: "FAILED", exitCode: -9, logs: "the last words" });
    await look();
  };
  for (let i = 0; i < 3; i++) await die();
  job.progressed();
  for (let i = 0; i < 3; i++) await die();
  expect(ray.jobs.size).toBe(7);
  const error = await expectFailure(die(), RuntimeError);
  expect(error.message).toMatch(/died 4 times[^]*the last words/);
});

it("says what a job said of itself, and that the storage is not to be seen", async () => {
  const { look, current, folder } = await watched();
  Object.assign(current(), { status: "FAILED", exitCode: 43, logs: "" });
  const unseen = await expectFailure(look(), ConfigError);
  expect(unseen.message).toMatch(/^storage: .* cannot be seen on the cluster/);
  Object.assign(current(), { status: "FAILED", exitCode: 44, logs: "x\nculprit: no torch\n" });
  expect((await expectFailure(look(), RuntimeError)).message).toBe("cluster: no torch");
  const said = { message: "no room for a worker", hint: "Use fewer threads." };
  await writeFile(join(folder.path, "failed.json"), JSON.stringify(said));
  const error = await expectFailure(look(), RuntimeError);
  expect([error.message, error.hint]).toEqual([`cluster: ${said.message}`, said.hint]);
});

it("does not start again what was stopped from outside", async () => {
  const { look, current, ray } = await watched();
  current().status = "STOPPED";
  await expect(look()).rejects.toThrow(/stopped from outside/);
  expect(ray.jobs.size).toBe(1);
});

it("ends the job by force where it does not end by itself, and leaves no folder", async () => {
  const { job, folder, current } = await watched();
  vi.restoreAllMocks();
  current().status = "PENDING";
  await job.end();
  await expect(readdir(folder.path)).rejects.toThrow(/ENOENT/);
});

it("stops jobs of processes that have died, and no others", async () => {
  const { ray, folder } = await watched();
  const storage = join(folder.path, "..", "..");
  const dead = join(storage, "sessions", "culprit-dead");
  await mkdir(dead, { recursive: true });
  const { hostname } = await import("node:os");
  const owner = { host: hostname(), pid: 2 ** 22 + 1, jobs: "culprit-dead" };
  await writeFile(join(dead, "session.json"), JSON.stringify(owner));
  ray.jobs.set("culprit-dead-1", { body: {}, status: "RUNNING" });
  await clearDeadSessions(storage, new JobsClient(new URL(ray.url), undefined));
  expect(ray.jobs.get("culprit-dead-1")!.status).toBe("STOPPED");
  expect(ray.jobs.get(`${folder.id}-1`)!.status).toBe("RUNNING");
  expect(await readdir(join(storage, "sessions"))).toEqual([folder.id]);
});
