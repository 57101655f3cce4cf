/** @file `culprit doctor` against machines, hubs and endpoints that are well, and ones that are not. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RuntimeError } from "../src/util/errors.ts";
import type { Diagnosis } from "../src/verbs/doctor.ts";
import { checkMemory } from "../src/verbs/doctor/check-checkpoint.ts";
import { checkNode } from "../src/verbs/doctor/check-machine.ts";
import { FAKE_TOKEN, type FakeHub, startFakeHub } from "./fake-hub.ts";
import { expectFailure } from "./support/errors.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const folder = suiteFolder();
const tiny = await makeTinyCheckpoint(join(folder, "tiny"));
const tinyFiles = Object.fromEntries(
  await Promise.all(
    (await readdir(tiny)).map(async (name) => [name, await readFile(join(tiny, name))] as const),
  ),
);
const strange = await makeTinyCheckpoint(join(folder, "strange"), {
  config: { model_type: "abacus" },
});

const HUB_VARIABLES = ["HF_ENDPOINT", "HF_HOME", "HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE"];
let hub: FakeHub;
let before: NodeJS.ProcessEnv;
let homes = 0;

beforeEach(async () => {
  hub = await startFakeHub([{ kind: "model", repo: "org/tiny", files: tinyFiles }]);
  before = { ...process.env };
  for (const name of HUB_VARIABLES) delete process.env[name];
  process.env["HF_ENDPOINT"] = hub.url;
  process.env["HF_HOME"] = join(folder, `home-${homes++}`);
});

afterEach(async () => {
  process.env = before;
  await hub.stop();
});

/** The status of each check. */
async function statuses(...words: string[]): Promise<Readonly<Record<string, string>>> {
  const { findings } = JSON.parse(await runCommand("doctor", [...words, "--json"])) as Diagnosis;
  return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
}

const ALL_WELL = { Node: "ok", arithmetic: "ok", disk: "ok", hub: "ok" };

describe("culprit doctor", () => {
  it("finds all well, in lines and as JSON", async () => {
    const shown = await runCommand("doctor", ["--folder", join(folder, "not", "yet")]);
    expect(shown.split("\n").map((line) => line.split(/ +/).slice(0, 2).join(" "))).toEqual(
      Object.keys(ALL_WELL).map((check) => `ok ${check}`),
    );
    expect(await statuses()).toEqual(ALL_WELL);
  });

  it("holds a checkpoint against memory: a folder, and one of the hub without its weights", async () => {
    const well = { ...ALL_WELL, checkpoint: "ok", memory: "ok" };
    expect(await statuses("--checkpoint", tiny)).toEqual({ ...well, tokenizer: "ok" });
    expect(await statuses("--checkpoint", "hf://org/tiny")).toEqual({ ...well, download: "ok" });
    const asked = hub.requests.filter(({ url }) => url.includes("model.safetensors"));
    expect(asked).toEqual([]);
    const [ours, theirs] = await Promise.all(
      [tiny, "hf://org/tiny"].map(async (name) => {
        const shown = await runCommand("doctor", ["--checkpoint", name]);
        return Number(/llama, (\d+) weights/.exec(shown)?.[1]);
      }),
    );
    // By the size of the file, which has a header too.
    expect(theirs! / ours!).toBeCloseTo(1, 1);
  });

  it("says that a folder has no tokenizer, which is a fault, or no chat template, which need not be", async () => {
    const bare = await makeTinyCheckpoint(join(folder, "bare"));
    const path = join(bare, "tokenizer_config.json");
    const { chat_template: _, ...config } = JSON.parse(await readFile(path, "utf8")) as object & {
      chat_template: string;
    };
    await writeFile(path, JSON.stringify(config));
    expect(await statuses("--checkpoint", bare)).toMatchObject({ tokenizer: "warning" });
    await rm(join(bare, "tokenizer.json"));
    const error = await expectFailure(runCommand("doctor", ["--checkpoint", bare]), RuntimeError);
    expect(error.message).toBe("doctor: 1 fault: tokenizer");
  });

  it.each([
    ["no such folder", join(folder, "none")],
    ["no such repository", "hf://org/none"],
    ["a family that is not read", strange],
  ])("ends with a fault that names the check: %s", async (_, name) => {
    const error = await expectFailure(runCommand("doctor", ["--checkpoint", name]), RuntimeError);
    expect(error.message).toBe("doctor: 1 fault: checkpoint");
  });

  it("says what of the hub is wrong", async () => {
    process.env["HF_HUB_OFFLINE"] = "1";
    expect(await statuses()).toEqual(ALL_WELL);
    delete process.env["HF_HUB_OFFLINE"];
    hub.intercept = (request, response) => {
      const isKnown = request.headers.authorization === `Bearer ${FAKE_TOKEN}`;
      response.writeHead(isKnown ? 200 : 401).end("{}");
      return true;
    };
    process.env["HF_TOKEN"] = FAKE_TOKEN;
    expect(await statuses()).toEqual(ALL_WELL);
    process.env["HF_TOKEN"] = "hf_old";
    const refused = await expectFailure(runCommand("doctor", []), RuntimeError);
    expect(refused.message).toBe("doctor: 1 fault: hub");
    await hub.stop();
    expect(await statuses()).toEqual({ ...ALL_WELL, hub: "warning" });
  });
});

describe("culprit doctor --base-url", () => {
  const asking = (url: string): string[] => ["--base-url", url, "--model", "m"];

  it("asks as generate does, and says what the endpoint does not do", async () => {
    await using server = await startFakeEndpoint({ answer: ({ seed }) => `word ${seed}` });
    expect(await statuses(...asking(server.url))).toEqual({ ...ALL_WELL, endpoint: "ok" });
    expect(server.counts.requests).toBe(2);
    await using poor = await startFakeEndpoint({
      refuse: (body) =>
        "seed" in body
          ? { status: 422, message: "", body: { detail: "Unexpected fields: {'seed'}" } }
          : undefined,
      choice: () => ({ message: { content: "same" }, finish_reason: "finished" }),
    });
    const shown = await runCommand("doctor", asking(poor.url));
    expect(shown).toMatch(/^warning +endpoint .* finish unknown$/m);
    expect(shown).toMatch(
      /does not take seed; it does not count tokens.*; its finish reason "finished" .*; two samples at temperature 1 are the same text/,
    );
  });

  it("ends with a fault where the endpoint refuses or nobody is there", async () => {
    await using server = await startFakeEndpoint({
      refuse: () => ({ status: 400, message: "context too short" }),
    });
    for (const url of [server.url, "http://127.0.0.1:9/v1"]) {
      const error = await expectFailure(runCommand("doctor", asking(url)), RuntimeError);
      expect(error.message).toBe("doctor: 1 fault: endpoint");
    }
  });
});

describe("the doctor's measures", () => {
  it("takes Node from 20.19 on", () => {
    const status = ["18.20.0", "20.18.3", "20.19.0", "22.1.0", "24.0.0"].map(
      (version) => checkNode(version).status,
    );
    expect(status).toEqual(["fault", "fault", "ok", "ok", "ok"]);
  });

  it.each([
    [1e9, 24, 20, "ok"],
    [1e9, 24, 8, "warning"], // reads, does not train
    [1e9, 24, 2, "warning"], // fits once other programs end
    [8e9, 24, 20, "fault"],
  ])("of memory: %d weights in %d GiB, %d free, are %s", (weights, total, free, status) => {
    const memory = { total: total * 2 ** 30, free: free * 2 ** 30 };
    expect(checkMemory(weights, memory).status).toBe(status);
  });
});
