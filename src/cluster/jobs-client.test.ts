import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { expectFailure } from "../../test/support/errors.ts";
import { startFakeRay } from "../../test/support/fake-ray.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { readAuthToken } from "./auth-token.ts";
import { clusterUrl } from "./cluster-address.ts";
import { UnreachableError } from "./cluster-request.ts";
import { type Job, JobsClient } from "./jobs-client.ts";
import { readWorkerPackage } from "./worker-package.ts";

const jobOf = async (id: string): Promise<Job> => ({
  id,
  entrypoint: "python -m culprit_worker session",
  package: await readWorkerPackage(),
  environment: { OMP_NUM_THREADS: "1" },
  metadata: { culprit: "0" },
});

describe("JobsClient", () => {
  it("uploads a package once, and anew where the cluster has forgotten it", async () => {
    const ray = await startFakeRay();
    const client = new JobsClient(new URL(ray.url), undefined);
    const code = await readWorkerPackage();
    await client.upload(code);
    const [sent] = [...ray.packages.values()];
    expect(sent!.equals(code.bytes)).toBe(true);
    expect([...ray.packages.keys()]).toEqual([`/api/packages/gcs/${code.uri.slice(6)}`]);
    ray.forget();
    await client.upload(code);
    expect(ray.packages.size).toBe(1);
  });

  it("submits a job that Ray understands, and takes the same one again for the same", async () => {
    const ray = await startFakeRay();
    const client = new JobsClient(new URL(ray.url), undefined);
    const job = await jobOf("job-1");
    await client.submit(job);
    await client.submit(job);
    expect(ray.jobs.size).toBe(1);
    expect(ray.jobs.get("job-1")!.body).toEqual({
      entrypoint: "python -m culprit_worker session",
      submission_id: "job-1",
      runtime_env: { working_dir: job.package.uri, env_vars: { OMP_NUM_THREADS: "1" } },
      metadata: { culprit: "0" },
    });
  });

  it("waits for a head that is still starting", async () => {
    const ray = await startFakeRay();
    ray.startingPosts = 2;
    await new JobsClient(new URL(ray.url), undefined).submit(await jobOf("job-1"));
    expect(ray.jobs.has("job-1")).toBe(true);
  });

  it("reads state, log and nodes, and knows of no job after a restart of the head", async () => {
    const ray = await startFakeRay();
    const client = new JobsClient(new URL(ray.url), undefined);
    await client.submit(await jobOf("job-1"));
    expect(await client.state("job-1")).toEqual({
      status: "RUNNING",
      message: "said so",
      exitCode: undefined,
    });
    Object.assign(ray.jobs.get("job-1")!, { status: "FAILED", exitCode: 43, logs: "a\nb\n" });
    expect(await client.state("job-1")).toMatchObject({ status: "FAILED", exitCode: 43 });
    expect(await client.logs("job-1")).toBe("a\nb\n");
    const nodes = await client.nodes();
    expect(nodes.map(({ isAlive, cpus, message }) => [isAlive, cpus, message])).toEqual([
      [true, 2, ""],
      [false, 0, "health check failed"],
    ]);
    ray.forget();
    expect(await client.state("job-1")).toBeUndefined();
    expect(await client.logs("job-1")).toBe("");
    await client.stop("job-1");
  });

  it("sends the token, says where one is missing or wrong, and never shows it", async () => {
    const ray = await startFakeRay("s3cret-token");
    const url = new URL(ray.url);
    expect((await new JobsClient(url, "s3cret-token").version()).ray).toBe("2.60.0");
    const missing = await expectFailure(new JobsClient(url, undefined).version(), ConfigError);
    expect(`${missing.message} ${missing.hint}`).toMatch(/got none.*RAY_AUTH_TOKEN_PATH/);
    const wrong = await expectFailure(new JobsClient(url, "other-token").nodes(), ConfigError);
    expect(wrong.message).toMatch(/the token is not this cluster's/);
    expect(`${wrong.message} ${wrong.hint}`).not.toContain("other-token");
  });

  it("says where nothing answers, and where something else does", async () => {
    const ray = await startFakeRay();
    const client = new JobsClient(new URL(ray.url), undefined);
    await ray.close();
    const gone = await expectFailure(client.version(), UnreachableError);
    expect(gone.message).toMatch(/no cluster answers \(ECONNREFUSED\)/);
    const other = await startFakeRay();
    other.jobs.set("x", { body: {}, status: "QUEUED" });
    const odd = new JobsClient(new URL(other.url), undefined).state("x");
    await expect(odd).rejects.toThrow(/expected what Ray's Jobs API says/);
    const bad = new JobsClient(new URL(`${other.url}/none/`), undefined);
    await expectFailure(
      bad.upload({ uri: "gcs://other.zip", hash: "", bytes: Buffer.of(1) }),
      RuntimeError,
    );
  });
});

describe("clusterUrl", () => {
  it("takes an address with and without a scheme, and refuses Ray's client port", () => {
    expect(clusterUrl("head:8265").href).toBe("http://head:8265/");
    expect(clusterUrl("https://ray.example.org").href).toBe("https://ray.example.org/");
    for (const bad of ["ray://head:10001", "head", "http://head:8265/api/jobs"]) {
      expect(() => clusterUrl(bad)).toThrow(ConfigError);
    }
  });
});

describe("readAuthToken", () => {
  it("takes the variable, else the file, else none", async () => {
    const path = join(await temporaryFolder(), "token");
    await writeFile(path, "of-the-file\n");
    expect(await readAuthToken({ RAY_AUTH_TOKEN: "own", RAY_AUTH_TOKEN_PATH: path })).toBe("own");
    expect(await readAuthToken({ RAY_AUTH_TOKEN_PATH: path })).toBe("of-the-file");
    expect(await readAuthToken({})).toBeUndefined();
    await expectFailure(readAuthToken({ RAY_AUTH_TOKEN_PATH: `${path}x` }), ConfigError);
    await writeFile(path, "\n");
    await expectFailure(readAuthToken({ RAY_AUTH_TOKEN_PATH: path }), ConfigError);
  });
});
