/** @file An experiment whose judge is an LLM: nothing is asked twice, what it took is on the ledger, a budget stops it and it goes on. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import {
  estimateExperiment,
  type ExperimentRun,
  type PricedCost,
  parseExperiment,
  readExperiment,
  readExperimentStatus,
  readVerdicts,
  runExperiment,
  type RunExperimentOptions,
} from "../src/index.ts";
import { ConfigError, RuntimeError } from "../src/util/errors.ts";
import { expectFailure } from "./support/errors.ts";
import { type AskedBody, type FakeEndpoint, startFakeEndpoint } from "./support/fake-endpoint.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { runCli } from "./support/run-cli.ts";
import { runCommand as runHere } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000 });

const suite = suiteFolder();
const LABEL_RUBRIC = `name: vowels
behavior: has two vowels in a row
system: Look for two vowels in a row.
user: "{fence} {prompt} {fence} {response} {fence}"
scale: [0, 10]
threshold: 5
maxTokens: 20
`;

/** Scores as the miniature's rules judge: by the response, which stands between the second and the third fence. */
const score = ({ messages }: AskedBody): string => {
  const [fence, ...rest] = messages.at(-1)!.content.split(" ");
  const response = rest.join(" ").split(fence!)[1]!;
  return JSON.stringify({ reason: "r", score: /[aeiou]{2}/iu.test(response) ? 9 : 1 });
};

/** Both checkpoints are the same one, so that each samples the same responses. */
async function makeExperiment(
  name: string,
  server: FakeEndpoint,
  {
    endpoint = "",
    judge = "",
    ...changes
  }: {
    endpoint?: string;
    judge?: string;
    checkpoints?: string;
    train?: string;
    steer?: string;
  } = {},
): Promise<string> {
  const folder = join(suite, name);
  const path = await makeMiniatureExperiment(folder, {
    checkpoints: "{ before: sft, after: sft }",
    train: undefined,
    edits: undefined,
    evaluate: undefined,
    steer: undefined,
    ...changes,
    judge: `{ rubric: rubric.yaml, endpoint: { baseUrl: "${server.url}", model: m, concurrency: 4${endpoint} }${judge} }`,
  });
  await writeFile(join(folder, "rubric.yaml"), LABEL_RUBRIC);
  return path;
}

async function run(
  path: string,
  options: Partial<RunExperimentOptions> = {},
): Promise<ExperimentRun> {
  const file = await readExperiment(path);
  return runExperiment(file, { out: join(path, "..", "out"), until: "judge", ...options });
}

const PRICES = ", priceIn: 1000, priceOut: 2000";
const mostAsked = ({ counts }: FakeEndpoint): number => Math.max(...counts.byMessage.values());

describe("an experiment with an LLM judge", () => {
  it("asks about equal responses of all stages once, and has what it took on the ledger", async () => {
    await using server = await startFakeEndpoint({ answer: score });
    const path = await makeExperiment("once", server, { endpoint: PRICES });
    const { stages, manifest, out } = await run(path);
    expect(mostAsked(server)).toBe(1);
    const [before, after] = stages.filter(({ stage }) => stage.kind === "judge");
    // Equal responses of both checkpoints: the second stage pays nothing.
    const { endpoint } = before!.record.cost;
    expect(endpoint!.requests).toBe(server.counts.requests);
    expect(endpoint!.completionTokens).toBe(server.counts.answers); // the fake counts words, and an answer is one
    expect(endpoint!.money).toBeCloseTo(
      (1000 * endpoint!.promptTokens + 2000 * endpoint!.completionTokens) / 1e6,
      9,
    );
    expect(after!.record.cost.endpoint).toMatchObject({
      requests: 0,
      completionTokens: 0,
      money: 0,
    });
    expect(manifest.total.endpoint).toEqual(endpoint);
    expect(manifest.total.money).toBe(endpoint!.money);
    expect(await runHere("status", [out])).toMatch(/requests +endpoint tokens +USD\n/);
    expect(await runHere("status", [out, "--stage", "judge-after"])).toBe(
      join(out, after!.directory),
    );
    await expect(runHere("status", [out, "--stage", "judge-never"])).rejects.toThrow(
      '--stage: expected a finished stage, got "judge-never"',
    );
    // As the rules judge the same responses.
    const verdicts = await readVerdicts(join(out, after!.directory, "verdicts.jsonl"));
    expect(verdicts).toHaveLength(240);
    expect(verdicts[0]).toMatchObject({ judge: expect.stringMatching(/^vowels@/) as string });
    expect(new Set(verdicts.map((each) => "label" in each && each.label))).toEqual(
      new Set(["shows", "not"]),
    );
  });

  it("asks nothing for another threshold, and nothing when it is made again", async () => {
    await using server = await startFakeEndpoint({ answer: score });
    const path = await makeExperiment("threshold", server);
    await run(path);
    const { requests } = server.counts;
    const forced = await run(path, { force: ["judge"] });
    // Made again, it has still taken what it took.
    expect(forced.manifest.total.endpoint!.requests).toBe(requests);
    await makeExperiment("threshold", server, { judge: ", threshold: 10" });
    const { stages, out } = await run(path);
    expect(server.counts.requests).toBe(requests);
    const judged = stages.find(({ id }) => id === "judge-before")!;
    const verdicts = await readVerdicts(join(out, judged.directory, "verdicts.jsonl"));
    expect(verdicts.some((each) => "label" in each && each.label === "shows")).toBe(false);
  });

  it("is refused before any stage where nobody is behind the address, or the key is not taken", async () => {
    const dead = await startFakeEndpoint();
    const gone = await makeExperiment("gone", dead);
    await dead[Symbol.asyncDispose]();
    const unreachable = await expectFailure(run(gone), RuntimeError);
    expect(unreachable.message).toBe(
      `judge.endpoint: ${dead.url}: endpoint unreachable (ECONNREFUSED)`,
    );
    await using server = await startFakeEndpoint({ modelsStatus: 401 });
    const refused = await makeExperiment("refused", server);
    const unkeyed = await expectFailure(run(refused), ConfigError);
    expect(unkeyed.message).toBe(
      `judge.endpoint: ${server.url}: expected a key that it accepts, got key refused (401)`,
    );
    for (const path of [gone, refused]) {
      expect(existsSync(join(path, "..", "out", "stages"))).toBe(false);
    }
    expect(server.counts.requests).toBe(0);
  });

  it("needs nobody where all answers are kept, and takes a server without a list of models", async () => {
    const server = await startFakeEndpoint({ answer: score, modelsStatus: 404 });
    const path = await makeExperiment("kept", server);
    await run(path);
    await server[Symbol.asyncDispose]();
    const { stages } = await run(path, { force: ["judge"] });
    expect(stages.find(({ id }) => id === "judge-after")!.isCached).toBe(false);
  });

  it("killed while it asks, it asks no question again that was answered, and the ledger has every answer", async () => {
    await using server = await startFakeEndpoint({ answer: score, latencyMs: 20 });
    const path = await makeExperiment("killed", server, { endpoint: PRICES });
    const out = join(path, "..", "out");
    await run(path, { until: "generate" });
    for (const answers of [20, 60]) {
      const killed = await runCli(["run", path, "--out", out, "--until", "judge", "--quiet"], {
        onStart: (child) => {
          const timer = setInterval(() => {
            if (server.counts.answers >= answers) child.kill("SIGKILL");
          }, 5);
          child.on("exit", () => clearInterval(timer));
        },
      });
      expect(killed.signal).toBe("SIGKILL");
    }
    const keysStored = async (): Promise<readonly string[]> => {
      const text = await readFile(join(out, "cache", "judge-answers.jsonl"), "utf8");
      const whole = text.split("\n").slice(0, -1); // what follows the last end of line was cut off
      return whole.map((line) => (JSON.parse(line) as { key: string }).key);
    };
    const [stored, asked] = [(await keysStored()).length, server.counts.requests];
    // Answered and not yet on disk at a kill: 4 under way, and 4 being written.
    expect(server.counts.answers - stored).toBeLessThanOrEqual(2 * 8);
    const { manifest } = await run(path);
    const keys = await keysStored();
    expect(new Set(keys).size).toBe(keys.length);
    expect(server.counts.requests - asked).toBe(keys.length - stored);
    expect(manifest.total.endpoint!.completionTokens).toBe(keys.length);
    // Every request of the killed attempts that was answered, and no more than were sent.
    expect(manifest.total.endpoint!.answers).toBe(keys.length);
    expect(manifest.total.endpoint!.requests).toBeGreaterThanOrEqual(keys.length);
    expect(manifest.total.endpoint!.requests).toBeLessThanOrEqual(server.counts.requests);
  });

  it("stops where the budget is used up, says what was spent, and goes on with a higher one", async () => {
    await using server = await startFakeEndpoint({ answer: score });
    const judge = (maxCost: number): Promise<string> =>
      makeExperiment("budget", server, { endpoint: PRICES, judge: `, maxCost: ${maxCost}` });
    const path = await judge(1);
    const error = await expectFailure(run(path), RuntimeError);
    expect(error.message).toMatch(
      /^judge-before: judge\.maxCost: used up, 0\.\d{4} spent, \d+ of 240 rollouts not judged$/,
    );
    expect(error.hint).toMatch(/Raise judge\.maxCost/);
    const asked = server.counts.answers;
    expect(asked).toBeGreaterThan(3);
    const stopped = async (): Promise<Partial<PricedCost>> => {
      const { stages, total } = await readExperimentStatus(join(path, "..", "out"));
      const { cost } = stages.find(({ id }) => id === "judge-before")!;
      expect([total.endpoint, total.money]).toEqual([cost!.endpoint, cost!.money]);
      return cost!;
    };
    expect(await stopped()).toMatchObject({ endpoint: { requests: asked, answers: asked } });
    const { money } = await stopped();
    expect(error.message).toContain(`, ${money!.toFixed(4)} spent`);
    const shown = await runHere("status", [join(path, "..", "out")]);
    expect(shown).toMatch(new RegExp(`judge-before +failed.* ${money!.toFixed(4)}\n`));
    expect(shown).toMatch(/stages done, 0 running, 0 interrupted, 1 failed, /);
    expect(shown).toMatch(/^judge-before failed: .*judge\.maxCost: used up/m);
    // The budget is still used up: nothing is asked, nothing changes.
    await expectFailure(run(path), RuntimeError);
    expect([server.counts.answers, await stopped()]).toMatchObject([asked, { money }]);
    expect((await stopped()).endpoint!.requests).toBe(asked);
    await judge(1000);
    await run(path);
    expect(mostAsked(server)).toBe(1);
    expect(server.counts.answers).toBeGreaterThan(asked);
  });

  it("asks again what it could not read where a stage is forced, and an estimate says so", async () => {
    let isBroken = true;
    await using server = await startFakeEndpoint({
      answer: (body) => (isBroken && score(body).includes("9") ? "?" : score(body)),
    });
    const strict = await makeExperiment("strict", server);
    await expect(run(strict)).rejects.toThrow(
      /^judge\.endpoint\.maxMissing: expected at most 10\.0% of the answers missing, got \d+ of 240$/,
    );
    const path = await makeExperiment("unreadable", server, { endpoint: ", maxMissing: 1" });
    await run(path);
    isBroken = false;
    const asked = server.counts.requests;
    await run(path);
    expect(server.counts.requests).toBe(asked);
    const file = await readExperiment(path);
    const out = join(path, "..", "out");
    const forced = { out, force: ["judge-before"] };
    expect((await estimateExperiment(file, { out })).stages).toEqual([]);
    const { stages } = await estimateExperiment(file, forced);
    expect(stages).toMatchObject([{ id: "judge-before" }]);
    await run(path, forced);
    expect(server.counts.requests - asked).toBe(stages[0]!.requests);
    expect(stages[0]!.requests).toBeGreaterThan(3);
    expect((await estimateExperiment(file, forced)).stages).toMatchObject([{ requests: 0 }]);
  });

  it("judges steered responses as well, each question once", async () => {
    await using server = await startFakeEndpoint({ answer: score });
    const path = await makeExperiment("steered", server, {
      endpoint: PRICES,
      checkpoints: "{ before: sft }",
      train: "{ learningRate: 1e-2, beta: 0.1, batchSize: 16 }",
      steer: "{ rollouts: 1, limit: 5, grid: [1, 2], randomDirections: 1 }",
    });
    const { stages, out } = await run(path, { until: "steer" });
    expect(mostAsked(server)).toBe(1);
    const [add] = stages.filter(({ stage }) => stage.kind === "steer");
    expect(add!.record.cost.endpoint!.requests).toBeGreaterThan(0);
    expect(add!.record.files.map((file) => file.path)).toEqual([
      "steering/layers.json",
      "steering/steering.json",
    ]);
    const report = await readFile(join(out, add!.directory, "steering", "steering.json"), "utf8");
    expect(JSON.parse(report)).toMatchObject({ mode: "add", checkpoint: { name: "before" } });
    const { requests } = server.counts;
    await run(path, { until: "steer", force: ["steer"] });
    expect(server.counts.requests).toBe(requests);
  });

  it("estimates before anything is sampled, nearer once it is, and has nothing left in the end", async () => {
    await using server = await startFakeEndpoint({ answer: score });
    const path = await makeExperiment("estimate", server, { endpoint: PRICES });
    const out = join(path, "..", "out");
    const estimate = async (): ReturnType<typeof estimateExperiment> =>
      estimateExperiment(await readExperiment(path), { out });
    const first = await estimate();
    expect(first.stages.map(({ id, requests, isSampled }) => [id, requests, isSampled])).toEqual([
      ["judge-before", 240, false],
      ["judge-after", 240, false],
    ]);
    await run(path, { until: "generate" });
    const second = await estimate();
    expect(second.stages[0]!.isSampled).toBe(true);
    expect(second.stages[0]!.requests).toBeLessThanOrEqual(240);
    expect(second.stages[0]!.promptTokens).toBeLessThan(first.stages[0]!.promptTokens);
    expect(server.counts.requests).toBe(0);
    await run(path);
    expect(server.counts.requests).toBe(second.stages[0]!.requests);
    const plan = await runHere("run", [path, "--out", out, "--dry-run"]);
    expect(plan).toMatch(/^judge-before +there\n/m);
    expect(plan).not.toMatch(/requests/);
  });

  it("estimates an upper bound where scenarios share their base", async () => {
    await using server = await startFakeEndpoint({ answer: score });
    const path = await makeExperiment("shared-base", server, { endpoint: PRICES });
    const scenarios = Array.from({ length: 6 }, (_, i) => ({
      id: `s${i}`,
      base: "one and the same",
      distractor: `distractor ${i}`,
    }));
    const lines = scenarios.map((each) => `${JSON.stringify(each)}\n`);
    await writeFile(join(path, "..", "probe.jsonl"), lines.join(""));
    const out = join(path, "..", "out");
    const [first] = (await estimateExperiment(await readExperiment(path), { out })).stages;
    expect(first!.requests).toBe(6 * 2 * 2);
    const { stages } = await run(path);
    const asked = stages.find(({ id }) => id === "judge-before")!.record.cost.endpoint!;
    expect(asked.requests).toBeLessThanOrEqual(first!.requests);
    expect(asked.promptTokens).toBeLessThanOrEqual(first!.promptTokens);
    expect(asked.money).toBeLessThanOrEqual(first!.money!);
  });

  it.each([
    [
      "rubric: harm",
      /judge\.endpoint\.baseUrl \(line \d+\): expected an endpoint to ask, got none/,
    ],
    ["rubric: harm, endpoint: { baseUrl: x, model: m }", /baseUrl .*expected an address such as/],
    [
      "rubric: harm, endpoint: { baseUrl: http://h/v1, model: m, apiKeyEnv: sk-secret }",
      /expected the name of an environment variable, never the key itself, got another text/,
    ],
    [
      "rubric: harm, endpoint: { baseUrl: http://h/v1, model: m, priceIn: 1 }",
      /judge\.endpoint\.priceIn .*expected both priceIn and priceOut/,
    ],
    [
      "rubric: harm, maxCost: 1, endpoint: { baseUrl: http://h/v1, model: m }",
      /judge\.maxCost .*expected priceIn and priceOut/,
    ],
  ])("refuses { %s }", async (judge, message) => {
    const text = `name: bad\ncheckpoints: { before: a, after: b }\npairs: { files: [p] }\nprobe: { scenarios: s }\nbehavior: { layers: [1] }\njudge: { ${judge} }\n`;
    const error = await expectFailure(() => parseExperiment(text, "bad.yaml"), ConfigError);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("secret");
  });

  it("needs the key before anything is made", async () => {
    await using server = await startFakeEndpoint();
    const path = await makeExperiment("key", server, { endpoint: ", apiKeyEnv: CULPRIT_NO_SUCH" });
    const error = await expectFailure(run(path), ConfigError);
    expect(error.message).toMatch(/^judge\.endpoint\.apiKeyEnv: expected the name of a variable/);
  });

  it("never writes the key down", async () => {
    const keys: (string | undefined)[] = [];
    await using server = await startFakeEndpoint({
      answer: score,
      refuse: (_, { authorization }) => {
        keys.push(authorization);
        return undefined;
      },
    });
    vi.stubEnv("CULPRIT_TEST_KEY", "very-secret-key");
    const path = await makeExperiment("secret", server, {
      endpoint: ", apiKeyEnv: CULPRIT_TEST_KEY",
    });
    const { out } = await run(path);
    vi.unstubAllEnvs();
    expect(new Set(keys)).toEqual(new Set(["Bearer very-secret-key"]));
    const found = await runCli(["--version"], {
      before: `grep -r very-secret-key ${out} && exit 7`,
    });
    expect(found.code).toBe(0);
  });
});
