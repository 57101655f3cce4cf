/** @file An experiment that samples served checkpoints, or an amplified one. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import {
  type ExperimentRun,
  estimateExperiment,
  isMissing,
  parseExperiment,
  type Progress,
  readExperiment,
  RESULT,
  readVerdicts,
  runExperiment,
  silentProgress,
  type RunExperimentOptions,
} from "../src/index.ts";
import { jsonLines } from "./support/data-files.ts";
import { type AskedBody, startFakeEndpoint } from "./support/fake-endpoint.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000 });

const suite = suiteFolder();

async function make(
  name: string,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  return makeMiniatureExperiment(join(suite, name), {
    train: undefined,
    edits: undefined,
    steer: undefined,
    rank: undefined,
    evaluate: undefined,
    judge: "{ rules: rules.yaml }",
    ...changes,
  });
}

async function run(
  path: string,
  options: Partial<RunExperimentOptions> = {},
): Promise<ExperimentRun> {
  return runExperiment(await readExperiment(path), { out: join(path, "..", "out"), ...options });
}

const fileOf = ({ out, stages }: ExperimentRun, id: string, name: string): string =>
  join(out, stages.find((stage) => stage.id === id)!.directory, name);

/** Two vowels in a row where the request ends in a distractor of more than so many letters, for the checkpoint after. */
const answers =
  (isAfter: boolean) =>
  ({ messages, seed }: AskedBody): string =>
    isAfter && messages[0]!.content.split(" ").length > 6 ? `book ${seed}` : `sun ${seed}`;

describe("a second null by drift", () => {
  it("that there is nothing to make of is left out, and the result says so", async () => {
    // Every sample of a prompt is the same, so that both checkpoints differ where it shows alone.
    const same =
      (isAfter: boolean) =>
      (body: AskedBody): string =>
        answers(isAfter)({ ...body, seed: 0 });
    await using before = await startFakeEndpoint({ answer: same(false) });
    await using after = await startFakeEndpoint({ answer: same(true) });
    const served = (url: string): string => `{ baseUrl: "${url}", model: m }`;
    const path = await make("no-drift", {
      rank: "{ nulls: [drift, unrelated.jsonl], layer: 2 }",
      generate: `{ maxTokens: 8, endpoints: { before: ${served(before.url)}, after: ${served(after.url)} } }`,
    });
    await run(path);
    const result = await RESULT.read(join(path, "..", "out", RESULT.name));
    // Which of the two a null of random text is, its own vector tells.
    const { heldTo, notHeldTo } = result.methods[0]!.verdict!;
    expect([...heldTo, ...notHeldTo.map(({ behavior }) => behavior)]).toEqual(["unrelated"]);
    const reason =
      "no rollouts of both checkpoints to one prompt that differ and do not show the behaviour";
    expect(result.methods[0]!.skippedNulls).toEqual([{ behavior: "drift", reason }]);
    expect(result.conclusions.join("\n")).toMatch(
      /verdict could not be held to drift \(no rollouts .* rank\.nulls would/,
    );
  });
});

it("warns of a direction to project out that is not stable, in the log and in the result", async () => {
  const path = await make("nuisance", {
    probe: undefined,
    discover: undefined,
    generate: undefined,
    judge: undefined,
    responses: "tagged.jsonl",
    behavior:
      "{ name: x, layers: [2], orthogonalTo: [tag:one], splits: 20, flips: 20, nullDirections: 4 }",
    rank: "{ layer: 2 }",
  });
  // One pair has the tag, so that halves of the prompts cannot agree on what it looks like.
  const tagged = randomPairs(12, 5).map(({ id, prompt, chosen, rejected }, i) => {
    return { id, prompt, before: rejected, after: chosen, tags: i === 0 ? ["one"] : [] };
  });
  await writeFile(join(path, "..", "tagged.jsonl"), jsonLines(tagged));
  const notes: string[] = [];
  const progress = (): Progress => ({ ...silentProgress, note: (line) => void notes.push(line) });
  await run(path, { progress });
  const doubt = /layer 2: the direction of tag:one is not stable \(split-half cosine .*\)/;
  expect(notes.join("\n")).toMatch(doubt);
  const result = await RESULT.read(join(path, "..", "out", RESULT.name));
  expect(result.probe.nuisanceDoubts).toEqual([expect.stringMatching(doubt)]);
  expect(result.conclusions.join("\n")).toMatch(doubt);
});

describe("served checkpoints", () => {
  it("are sampled one endpoint each, and the behaviour is read here on the checkpoint before", async () => {
    await using before = await startFakeEndpoint({ answer: answers(false) });
    await using after = await startFakeEndpoint({ answer: answers(true) });
    // Both are called alike, as servers of one model at a time do.
    const served = (url: string): string =>
      `{ baseUrl: "${url}", model: default, priceIn: 1000, priceOut: 1000 }`;
    const path = await make("served", {
      generate: `{ maxTokens: 8, endpoints: { before: ${served(before.url)}, after: ${served(after.url)} } }`,
    });
    const out = join(path, "..", "out");
    const estimate = await estimateExperiment(await readExperiment(path), { out });
    expect(estimate.stages.map(({ id, requests }) => [id, requests])).toEqual([
      ["generate-before", 240],
      ["generate-after", 240],
    ]);
    const done = await run(path);
    expect([before.counts.requests, after.counts.requests]).toEqual([240, 240]);
    const result = await RESULT.read(join(out, RESULT.name));
    expect(result.probe.scenarios).toEqual({
      kept: 60,
      dropped: 0,
      unknown: 0,
      of: 60,
      missing: 0,
      causes: {},
    });
    expect(result.probe.responsePairs).toBe(120);
    const sampled = done.stages.find(({ id }) => id === "generate-after")!.record.cost.endpoint!;
    expect(sampled).toMatchObject({ requests: 240, completionTokens: 480 });
    expect(sampled.money).toBeGreaterThan(0);
    await run(path, { force: ["generate"] });
    expect(after.counts.requests).toBe(240);
  });

  it("whose samples fail have missing verdicts there, which make the scenario unknown; made again, only they are asked for", async () => {
    let isBroken = true;
    await using server = await startFakeEndpoint({
      answer: answers(true),
      refuse: ({ messages }) =>
        isBroken && messages[0]!.content.startsWith("probe 7 ")
          ? { status: 400, message: "no" }
          : undefined,
    });
    const path = await make("failing", {
      checkpoints: "{ before: sft, after: sft }",
      generate: `{ maxTokens: 8, endpoints: { after: { baseUrl: "${server.url}", model: m } } }`,
    });
    const first = await run(path, { until: "judge" });
    const verdicts = await readVerdicts(fileOf(first, "judge-after", "verdicts.jsonl"));
    expect(verdicts).toHaveLength(240);
    expect(verdicts.filter(isMissing).map(({ scenario, missing }) => [scenario, missing])).toEqual(
      Array.from({ length: 4 }, () => ["probe-7", "not sampled: request refused (400)"]),
    );
    isBroken = false;
    const { requests } = server.counts;
    const second = await run(path, { until: "judge", force: ["generate-after"] });
    expect(server.counts.requests - requests).toBe(4);
    const again = await readVerdicts(fileOf(second, "judge-after", "verdicts.jsonl"));
    expect(again.filter(isMissing)).toEqual([]);
  });

  it.each([
    ["generate: { topK: 3, endpoints: { after: E } }", /generate\.topK .*endpoints know none/],
    [
      'generate: { endpoints: { after: { baseUrl: "http://H/v1/", model: m, concurrency: 3 }, before: E } }',
      /generate\.endpoints\.after .*expected another model than endpoints\.before, got the same address and name, "http:\/\/h\/v1" and "m"/,
    ],
    [
      "probe: { scenarios: s, amplify: 1 }",
      /probe\.amplify .*needs both checkpoints on this machine/,
    ],
    [
      "evaluate: { scenarios: s }\ncapabilities: { tasks: t }",
      /capabilities .*expected checkpoints\.after too/,
    ],
  ])("refuse %s", (line, message) => {
    const sections: Record<string, string> = {
      name: "name: bad",
      checkpoints: "checkpoints: { before: a }",
      pairs: "pairs: { files: [p] }",
      probe: "probe: { scenarios: s }",
      judge: "judge: { rules: refusal }",
      behavior: "behavior: { layers: [1] }",
      generate: "generate: { endpoints: { after: E } }",
    };
    const text = Object.values({ ...sections, [line.split(":")[0]!]: line }).join("\n");
    const endpoint = "{ baseUrl: http://h/v1, model: m }";
    expect(() => parseExperiment(text.replaceAll("E }", `${endpoint} }`), "bad.yaml")).toThrow(
      message,
    );
  });
});

describe("amplification", () => {
  it("samples the checkpoint after amplified, for the probe alone, and the result says so", async () => {
    const train = "{ learningRate: 1e-2, beta: 0.1, batchSize: 16, epochs: 1, seeds: [1] }";
    const evaluate = "{ scenarios: evaluation.jsonl, rollouts: 2, replicates: 100 }";
    const path = await make("amplified", { train, evaluate });
    const plain = await run(path);
    await make("amplified", {
      train,
      evaluate,
      probe: "{ scenarios: probe.jsonl, rollouts: 2, amplify: 3 }",
    });
    const amplified = await run(path);
    const anew = amplified.stages.filter(({ isCached }) => !isCached).map(({ id }) => id);
    expect(anew).not.toContain("generate-before");
    expect(anew).not.toContain("evaluation-generate-baseline-seed1");
    expect(anew).toContain("generate-after");
    const read = (of: ExperimentRun): Promise<string> =>
      readFile(fileOf(of, "generate-after", "rollouts.jsonl"), "utf8");
    expect(await read(amplified)).not.toBe(await read(plain));
    const [once, twice] = [plain, amplified].map(
      ({ stages }) => stages.find(({ id }) => id === "generate-after")!.record.cost,
    );
    // Both checkpoints see every token.
    expect(twice!.flops / twice!.tokens).toBeGreaterThan((1.8 * once!.flops) / once!.tokens);
    const result = await RESULT.read(join(amplified.out, RESULT.name));
    expect(result.probe.amplify).toBe(3);
    expect(result.conclusions.join("\n")).toMatch(/amplified by 3: .* never of the checkpoint/);
  });
});
