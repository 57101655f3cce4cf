/** The ray engine on a real cluster of this machine: the contract of engines, its values, and the same bytes after what may die has died. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Head } from "../../src/cluster/start-head.ts";
import type { EngineHost } from "../../src/engine/engine-host.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { localHost } from "../../src/engine/local-host.ts";
import { rayHost } from "../../src/engine/ray/ray-host.ts";
import { closeSessions } from "../../src/engine/ray/session-pool.ts";
import { checkCluster } from "../../src/verbs/doctor/check-cluster.ts";
import { relativeError } from "../support/close.ts";
import { collect } from "../support/data-files.ts";
import { ENGINE_CONTRACT } from "../support/engine-contract.ts";
import { writePlainTokenizer } from "../support/plain-tokenizer.ts";
import { noCluster, type Ports, startTestHead, TOKEN } from "../support/ray-cluster.ts";
import { suiteFolder } from "../support/suite-folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const reason = await noCluster();
if (reason !== undefined) process.stderr.write(`${reason}\n`);
const FOLDER = suiteFolder();
const STORAGE = join(FOLDER, "storage");
const MAX_RELATIVE_ERROR = 1e-5;
/** Of the store that is disturbed. */
const SHARDS = 8;

describe.skipIf(reason !== undefined)("engine ray", () => {
  let head: Head;
  let ports: Ports;

  beforeAll(async () => {
    process.env["RAY_AUTH_TOKEN"] = TOKEN;
    mkdirSync(STORAGE);
    ({ head, ports } = await startTestHead());
  });
  afterAll(async () => {
    await closeSessions();
    await head[Symbol.asyncDispose]();
  });

  const host: EngineHost = {
    ...rayHost,
    open: (checkpoint, options) =>
      rayHost.open(checkpoint, { ...options, address: head.address, storage: STORAGE }),
  };

  it("is checked from outside and inside", async () => {
    const findings = await checkCluster(head.address, { storage: STORAGE });
    expect(findings.map(({ check, status }) => [check, status])).toEqual([
      ...["address", "token", "Ray", "nodes", "GPUs", "package", "job", "Python", "packages"].map(
        (check) => [check, "ok"],
      ),
      ["storage", "ok"],
    ]);
    const elsewhere = await checkCluster(head.address, { storage: join(FOLDER, "nowhere") });
    expect(elsewhere.at(-1)).toMatchObject({ check: "job", status: "fault" });
  });

  it.each(ENGINE_CONTRACT.filter(({ trains }) => trains !== true))("$title", (check) =>
    expect(check.run(host)).resolves.toBeUndefined(),
  );

  it("gives the local engine's vectors and greedy samples, of every golden checkpoint", async () => {
    const golden = join(ROOT, "test/golden/checkpoints");
    const { cases } = JSON.parse(await readFile(join(golden, "cases.json"), "utf8")) as {
      cases: { name: string; layers: number }[];
    };
    let worst = 0;
    for (const { name, layers } of cases) {
      const dir = join(FOLDER, name);
      await cp(join(golden, name), dir, { recursive: true });
      // Only there because an engine has a tokenizer.
      await writePlainTokenizer(dir, 64);
      await using here = await localHost.open(dir, { threads: 1 });
      await using there = await host.open(dir);
      const all = Array.from({ length: layers + 1 }, (_, layer) => layer);
      const [a, b] = [await meansOf(here, all), await meansOf(there, all)];
      for (const [i, mean] of a.entries()) {
        for (const layer of all) {
          const part = (of: Float32Array): Float32Array =>
            of.subarray(
              (layer * mean.length) / all.length,
              ((layer + 1) * mean.length) / all.length,
            );
          const error = relativeError(part(b[i]!), part(mean));
          worst = Math.max(worst, error);
          expect(error, `${name}, response ${i}, layer ${layer}`).toBeLessThan(MAX_RELATIVE_ERROR);
        }
      }
      // No longer than every rope here keeps its angles.
      const options = { temperature: 0, maxTokens: 4 };
      const prompts = EXAMPLES.map(({ prompt }) => prompt);
      const [x, y] = [
        await collect(here.generate(prompts, options)),
        await collect(there.generate(prompts, options)),
      ];
      expect([name, ...sorted(y)]).toEqual([name, ...sorted(x)]);
    }
    process.stderr.write(
      `worst relative error over ${cases.length} checkpoints: ${worst.toExponential(1)}\n`,
    );
  });

  describe("writes the same bytes", () => {
    let wanted: Readonly<Record<string, string>>;

    beforeAll(async () => {
      await closeSessions(); // whose workers hold both processors
      const run = embed("undisturbed");
      await run.ended;
      wanted = await bytesOf("undisturbed");
    });

    it("without being disturbed, a shard for each part of the pairs", () => {
      expect(Object.keys(wanted)).toHaveLength(SHARDS + 2);
    });

    it("after a worker was killed while it worked", async () => {
      const run = embed("worker");
      await shards("worker", 1);
      process.kill((await workerPids())[0]!, "SIGKILL");
      expect(await shardsOf("worker")).toBeLessThan(SHARDS);
      await run.ended;
      expect(await bytesOf("worker")).toEqual(wanted);
    });

    it("after the control plane was killed, by the same command", async () => {
      const killed = embed("control");
      await shards("control", 2);
      killed.child.kill("SIGKILL");
      expect(await shardsOf("control")).toBeLessThan(SHARDS);
      await expect(killed.ended).rejects.toThrow(/SIGKILL/);
      await embed("control").ended;
      expect(await bytesOf("control")).toEqual(wanted);
      expect(await readdir(join(STORAGE, "sessions"))).toEqual([]);
      expect(await leftovers()).toEqual([]);
    });

    it("after the head was killed and another one started", async () => {
      const run = embed("head");
      await shards("head", 1);
      process.kill(-head.pid, "SIGKILL");
      expect(await shardsOf("head")).toBeLessThan(SHARDS);
      await head[Symbol.asyncDispose]();
      ({ head } = await startTestHead(ports));
      await run.ended;
      expect(await bytesOf("head")).toEqual(wanted);
    });
  });

  /** The command, as people give it. */
  function embed(name: string): { child: ChildProcess; ended: Promise<void> } {
    const words = [
      ["--import", "tsx", "src/cli/main.ts", "embed", "organisms/distractor/pairs.jsonl.gz"],
      ["--checkpoint", "organisms/distractor/checkpoint", "--layers", "1-3", "--limit", "2400"],
      ["--shard-rows", `${2400 / SHARDS}`, "--out", join(FOLDER, name), "--engine", "ray"],
      ["--address", head.address, "--storage", STORAGE, "--batch-tokens", "256", "--quiet"],
    ].flat();
    const child = spawn(process.execPath, words, {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const ended = new Promise<void>((resolve, reject) => {
      child.on("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`embed ended with ${code ?? signal}: ${errors}`));
      });
    });
    return { child, ended };
  }

  /** Waits until a store has so many finished shards. */
  async function shards(name: string, count: number): Promise<void> {
    while ((await shardsOf(name)) < count) await sleep(20);
  }
});

async function shardsOf(name: string): Promise<number> {
  const names = await readdir(join(FOLDER, name)).catch(() => []);
  return names.filter((each) => /^shard-\d+\.safetensors$/.test(each)).length;
}

/** Chunks that nobody will ask for again. */
async function leftovers(): Promise<readonly string[]> {
  const found = await readdir(join(STORAGE, "work"), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Of the session that was started last. */
async function workerPids(): Promise<readonly number[]> {
  const sessions = join(STORAGE, "sessions");
  const found: { pid: number }[] = [];
  for (const id of await readdir(sessions)) {
    const { pid } = JSON.parse(await readFile(join(sessions, id, "session.json"), "utf8")) as {
      pid: number;
    };
    if (pid === process.pid) continue;
    const state = await readFile(join(sessions, id, "state.json"), "utf8");
    found.push(...(JSON.parse(state) as { places: { pid: number }[] }).places);
  }
  return found.map(({ pid }) => pid);
}

async function bytesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(join(FOLDER, name))).filter((each) =>
    /^(shard|complete|manifest)/.test(each),
  );
  const files = await Promise.all(
    names
      .toSorted()
      .map(async (each) => [each, (await readFile(join(FOLDER, name, each))).toString("base64")]),
  );
  return Object.fromEntries(files) as Record<string, string>;
}

const EXAMPLES = [
  { prompt: [5, 9, 3], responses: [[7, 8, 11, 2], [12]] },
  {
    prompt: [4],
    responses: [
      [20, 21],
      [22, 23, 24, 25, 26, 27, 28],
    ],
  },
].map(({ prompt, responses }) => ({
  prompt: Int32Array.from(prompt),
  responses: responses.map((each) => Int32Array.from(each)),
}));

async function meansOf(
  engine: Engine,
  layers: readonly number[],
): Promise<readonly Float32Array[]> {
  const found = await collect(engine.embed(EXAMPLES, { layers }));
  return found.toSorted((a, b) => a.index - b.index).flatMap(({ means }) => means);
}

const sorted = (samples: readonly { prompt: number; tokens: Int32Array }[]): readonly number[][] =>
  samples.toSorted((a, b) => a.prompt - b.prompt).map(({ tokens }) => [...tokens]);
