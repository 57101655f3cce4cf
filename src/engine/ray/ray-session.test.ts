/** Chunks through the files of a session, the worker's part being played here; real workers do it in `npm run test:cluster`. */
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, it } from "vitest";

import { collect, temporaryFolder } from "../../../test/support/data-files.ts";
import { type FakeRay, startFakeRay } from "../../../test/support/fake-ray.ts";
import { writeSafetensors } from "../../format/safetensors.ts";
import { type Chunk, cutChunks } from "./ray-chunks.ts";
import { type Done, RaySession } from "./ray-session.ts";

const SUBJECT = { checkpoint: "/c", adapter: undefined, hash: "h" };

interface Opened extends AsyncDisposable {
  readonly ray: FakeRay;
  readonly session: RaySession;
  readonly storage: string;
  readonly notes: string[];
  /** Waits for a chunk in the queue and takes it. */
  readonly next: () => Promise<string>;
  /** Writes a chunk's result as a worker does. */
  readonly answer: (name: string, about?: object) => Promise<void>;
}

async function opened(storage?: string): Promise<Opened> {
  const ray = await startFakeRay();
  const folder = storage ?? (await temporaryFolder());
  const notes: string[] = [];
  const settings = {
    address: ray.url,
    storage: folder,
    workers: undefined,
    precision: "F32",
    device: "cpu",
    threads: 1,
    batchTokens: 1024,
  } as const;
  const session = await RaySession.open(settings, (line) => void notes.push(line), undefined);
  const { runtime_env: environment } = [...ray.jobs.values()][0]!.body as {
    runtime_env: { env_vars: { CULPRIT_SESSION: string } };
  };
  const place = environment.env_vars.CULPRIT_SESSION;
  const next = async (): Promise<string> => {
    for (;;) {
      const [name] = (await readdir(join(place, "queue"))).toSorted();
      if (name !== undefined) {
        await rm(join(place, "queue", name));
        return name;
      }
      await sleep(5);
    }
  };
  const answer = async (name: string, about: object = {}): Promise<void> => {
    const [, request = "", key = ""] = name.split("+");
    const sums = { name: "sums", dtype: "F32", shape: [1], bytes: new Uint8Array(4) } as const;
    await writeSafetensors(join(folder, "work", request, `${key}.safetensors`), [sums], {
      culprit: JSON.stringify(about),
    });
  };
  return {
    ray,
    session,
    storage: folder,
    notes,
    next,
    answer,
    async [Symbol.asyncDispose]() {
      for (const job of ray.jobs.values()) job.status = "SUCCEEDED";
      await session[Symbol.asyncDispose]();
    },
  };
}

function chunksOf(count: number): Chunk[] {
  const examples = Array.from({ length: count }, (_, i) => ({
    prompt: Int32Array.of(i),
    responses: [Int32Array.of(1)],
  }));
  return [...cutChunks(examples, { tokens: 100, examples: 1 }, () => ({ op: "embed" }))];
}

const results = async (storage: string): Promise<readonly string[]> => {
  const [request = ""] = await readdir(join(storage, "work"));
  return readdir(join(storage, "work", request));
};

it("gives results as they come, tells of memory, and leaves nothing", async () => {
  await using at = await opened();
  const done = collect<Done>(at.session.run(SUBJECT, chunksOf(2), undefined));
  const [one, other] = [await at.next(), await at.next()];
  await at.answer(other, { outOfMemory: [4096] });
  await at.answer(one);
  expect((await done).map(({ chunk }) => chunk.first).toSorted((a, b) => a - b)).toEqual([0, 1]);
  expect(at.notes.join()).toMatch(/out of memory on the cluster with batches of 4096/);
  expect(await results(at.storage)).toEqual([]);
});

it("takes results of an earlier run that was killed, and asks for the others alone", async () => {
  const storage = await temporaryFolder();
  {
    await using first = await opened(storage);
    const run = first.session.run(SUBJECT, chunksOf(2), undefined);
    const one = run.next();
    await first.answer(await first.next());
    await one;
    await run.return();
  }
  expect(await results(storage)).toHaveLength(1);
  await using second = await opened(storage);
  const done = collect<Done>(second.session.run(SUBJECT, chunksOf(2), undefined));
  await second.answer(await second.next());
  expect(await done).toHaveLength(2);
});

it("asks again for a result that another run has taken away", async () => {
  await using at = await opened();
  const done = collect<Done>(at.session.run(SUBJECT, chunksOf(1), undefined));
  await at.next(); // and finds it done by the other run, which clears up
  await at.answer(await at.next());
  expect(await done).toHaveLength(1);
});

it("ends with what a worker says of a chunk, and with a job that cannot go on", async () => {
  await using at = await opened();
  const failing = collect<Done>(at.session.run(SUBJECT, chunksOf(1), undefined));
  const name = await at.next();
  const [id = ""] = await readdir(join(at.storage, "sessions"));
  const error = join(at.storage, "sessions", id, "errors", `${name.split("+")[2]}.json`);
  await writeFile(error, JSON.stringify({ message: "too long", hint: "Cut it." }));
  await expect(failing).rejects.toThrow(/^cluster: examples 0 to 0: too long$/);
  expect(at.session.isBroken).toBe(false);
  for (const job of at.ray.jobs.values()) job.status = "STOPPED";
  const stopped = collect<Done>(at.session.run(SUBJECT, chunksOf(1), undefined));
  await expect(stopped).rejects.toThrow(/stopped from outside/);
  expect(at.session.isBroken).toBe(true);
});
