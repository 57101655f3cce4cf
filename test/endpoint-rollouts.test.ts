import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { missingCauses } from "../src/judge/tally-verdicts.ts";
import { readVerdicts, type Verdict } from "../src/judge/verdict.ts";
/** @file Rollouts from an endpoint, and of other programs, by the command. */
import { ROLLOUT_MANIFEST, type RolloutManifest } from "../src/rollouts/rollout-manifest.ts";
import { readRollouts, type Rollout } from "../src/rollouts/rollouts.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const path = (name: string): string => join(folder, name);

const scenarios = path("scenarios.jsonl");
writeFileSync(
  scenarios,
  ["a", "b", "c"]
    .map((id) =>
      JSON.stringify({ id, base: `Ask ${id}`, distractor: "In a list.", tags: ["list"] }),
    )
    .join("\n"),
);

async function rolloutsOf(file: string): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  for await (const rollout of readRollouts(file)) rollouts.push(rollout);
  return rollouts;
}

const generate = (url: string, out: string, ...more: string[]): Promise<string> =>
  runCommand("generate", [
    scenarios,
    "--base-url",
    url,
    "--model",
    "m",
    "--rollouts",
    "3",
    "--temperature",
    "0.7",
    "--out",
    out,
    ...more,
  ]);

const OF_A_CHECKPOINT: RolloutManifest = {
  kind: "rollouts",
  version: "0.1.0",
  checkpoint: "./sft",
  checkpointHash: "c",
  tokenizerHash: "t",
  templateHash: "h",
  promptsHash: "p",
  prompts: 1,
  sampling: {
    samples: 3,
    maxTokens: 8,
    temperature: 1,
    topK: null,
    topP: 1,
    seed: 0,
    stopTokens: [0],
    batch: 8,
  },
};

describe("culprit generate --base-url", () => {
  it("writes rollouts in the order of the prompts, each sample with a seed of its own", async () => {
    await using server = await startFakeEndpoint({
      answer: ({ messages, seed }) => `${messages[0]!.content} ${seed}`,
      latencyMs: 2,
    });
    const printed = await generate(server.url, path("r.jsonl"), "--seed", "5");
    expect(printed).toMatch(/18 rollouts, 0 of them there already\n18 requests, 18 answered$/);
    const rollouts = await rolloutsOf(path("r.jsonl"));
    expect(rollouts.slice(0, 4).map(({ id, response }) => `${id}: ${response}`)).toEqual([
      "a/base/0: Ask a 5",
      "a/base/1: Ask a 6",
      "a/base/2: Ask a 7",
      "a/base+distractor/0: Ask a In a list. 5",
    ]);
    expect(rollouts[0]).toMatchObject({ finish: "stop", tokens: 3, tags: ["list"] });
    expect(JSON.parse(readFileSync(path("r.jsonl.json"), "utf8"))).toMatchObject({
      kind: "endpoint-rollouts",
      model: "m",
      rollouts: 18,
      failed: {},
    });
    const bytes = readFileSync(path("r.jsonl"), "utf8");
    await generate(server.url, path("r.jsonl"), "--seed", "5");
    expect(server.counts.requests).toBe(18);
    expect(readFileSync(path("r.jsonl"), "utf8")).toBe(bytes);
  });

  it("counts what failed and why, and asks for that alone the next time", async () => {
    let isUp = false;
    await using server = await startFakeEndpoint({
      refuse: ({ messages }) =>
        isUp || !messages[0]!.content.includes("b")
          ? undefined
          : { status: 400, message: "too long" },
    });
    const some = ["--max-missing", "0.5", "--json"];
    const first = JSON.parse(await generate(server.url, path("f.jsonl"), ...some)) as unknown;
    expect(first).toMatchObject({ rollouts: 12, failed: { "request refused (400)": 6 } });
    const judge = async (): Promise<readonly Verdict[]> => {
      const words = ["--rules", "compliance", "--out", path("f-v.jsonl"), "--force"];
      await runCommand("judge", [path("f.jsonl"), ...words]);
      return readVerdicts(path("f-v.jsonl"));
    };
    const judged = await judge();
    expect(judged).toHaveLength(18);
    expect(missingCauses(judged)).toEqual({ "not sampled: request refused (400)": 6 });
    expect(judged.at(-1)).toMatchObject({
      rollout: "b/base+distractor/2",
      scenario: "b",
      sample: 2,
    });
    isUp = true;
    const again = JSON.parse(await generate(server.url, path("f.jsonl"), "--json")) as unknown;
    expect(again).toMatchObject({ rollouts: 18, resumed: 12, failed: {}, requests: 6 });
    expect(missingCauses(await judge())).toEqual({});
  });

  it("asks for a draw of its own for each rollout, also where scenarios share their base", async () => {
    await using server = await startFakeEndpoint({
      answer: ({ messages, seed }) => `${messages[0]!.content} ${seed}`,
    });
    const shared = path("shared.jsonl");
    const rows = ["JSON", "verse", "a list"].map((form, i) => ({
      id: `s${i}`,
      base: "Ask",
      distractor: `In ${form}.`,
    }));
    writeFileSync(shared, rows.map((row) => JSON.stringify(row)).join("\n"));
    const out = path("shared.out.jsonl");
    const words = ["--base-url", server.url, "--model", "m", "--rollouts", "2", "--seed", "7"];
    await runCommand("generate", [shared, ...words, "--out", out]);
    const rollouts = await rolloutsOf(out);
    expect(new Set(rollouts.map(({ response }) => response)).size).toBe(12);
    const bases = rollouts.filter(({ variant }) => variant === "base");
    expect(bases.map(({ id, response }) => `${id}: ${response}`)).toEqual([
      "s0/base/0: Ask 7",
      "s0/base/1: Ask 8",
      "s1/base/0: Ask 9",
      "s1/base/1: Ask 10",
      "s2/base/0: Ask 11",
      "s2/base/1: Ask 12",
    ]);
    await runCommand("generate", [shared, ...words, "--out", out, "--force"]);
    expect(server.counts.requests).toBe(12);
  });

  it("says where samples are lacking whose manifest was left behind", async () => {
    let requests = 0;
    await using server = await startFakeEndpoint({
      answer: ({ seed }) => `Yes ${seed}.`,
      refuse: () => (++requests % 5 === 0 ? { status: 400, message: "no" } : undefined),
    });
    const out = path("whole.jsonl");
    await generate(server.url, out, "--concurrency", "1", "--max-missing", "0.2");
    const warned: string[] = [];
    const judge = (file: string): Promise<string> =>
      runCommand(
        "judge",
        [file, "--rules", "compliance", "--out", `${file}.v.jsonl`],
        (line) => void warned.push(line),
      );
    await judge(out);
    expect(warned.filter((line) => line.includes("samples"))).toEqual([]);
    writeFileSync(path("alone.jsonl"), readFileSync(out, "utf8"));
    await judge(path("alone.jsonl"));
    expect(warned.join("\n")).toMatch(
      /alone\.jsonl: 3 samples are not in it, in 3 of 6 scenarios × variants, .*alone\.jsonl\.json says what failed/,
    );
  });

  it("leaves each sample answered or counted where the endpoint fails, and asks a bounded number of times", async () => {
    await using server = await startFakeEndpoint({
      faultShare: 0.3,
      faults: ["429-with-retry-after", "500", "cut", "malformed"],
    });
    const out = path("faults.jsonl");
    const flags = ["--attempts", "2", "--max-missing", "1", "--json"];
    const result = JSON.parse(await generate(server.url, out, ...flags)) as {
      rollouts: number;
      failed: Record<string, number>;
      requests: number;
    };
    const failed = Object.values(result.failed).reduce((sum, count) => sum + count, 0);
    expect(result.rollouts + failed).toBe(18);
    expect(result.requests).toBeLessThanOrEqual(36);
    expect(await rolloutsOf(out)).toHaveLength(result.rollouts);
  });

  it("replaces no file that is not its own, but with --force", async () => {
    await using server = await startFakeEndpoint({});
    const out = path("own.jsonl");
    writeFileSync(out, "a foreign text\n");
    await expect(generate(server.url, out)).rejects.toThrow(/own\.jsonl: exists already/);
    writeFileSync(`${out}.json`, '{"promptsHash":"x"}');
    await expect(generate(server.url, out)).rejects.toThrow(
      /own\.jsonl\.json: expected the manifest of rollouts/,
    );
    await ROLLOUT_MANIFEST.write(`${out}.json`, OF_A_CHECKPOINT);
    await expect(generate(server.url, out)).rejects.toThrow(
      /other settings \(kind, --base-url, model,/,
    );
    expect(readFileSync(out, "utf8")).toBe("a foreign text\n");
    expect(server.counts.requests).toBe(0);
    await generate(server.url, out, "--force");
    const bytes = readFileSync(out, "utf8");
    await expect(generate(server.url, out, "--model", "other")).rejects.toThrow(
      /settings \(model\)/,
    );
    await expect(generate(server.url, out, "--seed", "9")).rejects.toThrow(/settings \(seed\)/);
    expect(readFileSync(out, "utf8")).toBe(bytes);
  });

  it("fails, with the cause, where no sample was answered", async () => {
    await using server = await startFakeEndpoint({
      refuse: () => ({ status: 400, message: "too long" }),
    });
    await expect(generate(server.url, path("none.jsonl"))).rejects.toThrow(
      /none\.jsonl: expected rollouts, got none \(18 request refused \(400\)\)/,
    );
  });

  it("names in the end what the samples failed by, not what was worked round", async () => {
    let asked = 0;
    await using server = await startFakeEndpoint({
      refuse: (body) => {
        asked++;
        return asked === 1
          ? { status: 400, message: "Unrecognized request argument supplied: seed" }
          : { status: 400, message: `no room ${typeof body}` };
      },
    });
    await expect(generate(server.url, path("room.jsonl"), "--seed", "3")).rejects.toMatchObject({
      hint: expect.stringMatching(/^The server's first words: no room/) as string,
    });
  });

  it("sends no Authorization where no key is given", async () => {
    const sent: (string | undefined)[] = [];
    await using server = await startFakeEndpoint({
      refuse: (_, { authorization }) => {
        sent.push(authorization);
        return undefined;
      },
    });
    await generate(server.url, path("open.jsonl"));
    expect(new Set(sent)).toEqual(new Set([undefined]));
  });

  it("refuses flags of a checkpoint", async () => {
    const run = generate("http://127.0.0.1:9/v1", path("x.jsonl"), "--top-k", "5");
    await expect(run).rejects.toThrow(/--top-k: expected none beside --base-url/);
  });
});

describe("culprit generate --dry-run", () => {
  it("says what asking would take and what it may cost, and asks and writes nothing", async () => {
    await using server = await startFakeEndpoint({});
    const out = path("dry.jsonl");
    const prices = ["--price-in", "1", "--price-out", "2", "--max-tokens", "100"];
    const estimate = async (...more: string[]): Promise<object> =>
      JSON.parse(await generate(server.url, out, ...prices, "--dry-run", "--json", ...more));
    const all = { rollouts: 18, cached: 0, requests: 18, completionTokens: 1800 };
    const first = (await estimate()) as { promptTokens: number; cost: number };
    expect(first).toMatchObject(all);
    expect(first.cost).toBeCloseTo((first.promptTokens + 2 * 1800) / 1e6, 12);
    expect(server.counts.requests).toBe(0);
    expect([out, `${out}.answers.jsonl`].some((each) => existsSync(each))).toBe(false);
    await generate(server.url, out, ...prices, "--limit", "2");
    expect(await estimate()).toMatchObject({ cached: 6, requests: 12 });
    expect(await generate(server.url, out, "--dry-run")).toMatch(
      /^18 rollouts: 18 requests, 0 answered already\nabout \d+ prompt tokens, at most 4608 answer/,
    );
    const drawn = { rollouts: 12 }; // of two scenarios, both variants
    expect(await estimate("--draw", "2", "--draw-seed", "3")).toMatchObject(drawn);
    await expect(estimate("--draw-seed", "3")).rejects.toThrow(
      /^--draw-seed: expected draw with it, got none/,
    );
    const here = runCommand("generate", [scenarios, "--checkpoint", "c", "--dry-run"]);
    await expect(here).rejects.toThrow(/^--base-url: expected one to estimate, got none/);
  });
});

it("writes what failed as missing verdicts where that is wanted", async () => {
  await using server = await startFakeEndpoint({
    refuse: ({ messages }) =>
      messages[0]!.content.includes("b") ? { status: 400, message: "no" } : undefined,
  });
  const absent = path("absent.jsonl");
  await generate(server.url, path("some.jsonl"), "--max-missing", "1", "--absent", absent);
  const verdicts = await readVerdicts(absent);
  expect(verdicts).toHaveLength(6);
  expect(missingCauses(verdicts)).toEqual({ "not sampled: request refused (400)": 6 });
});

describe("culprit import", () => {
  const importing = (name: string, text: string): Promise<string> => {
    writeFileSync(path(name), text);
    return runCommand("import", [path(name), "--out", path(`${name}.out.jsonl`)]);
  };

  it("numbers the samples of each prompt", async () => {
    await importing(
      "i.jsonl",
      [
        { id: "a", prompt: "Hi", responses: ["one", "two"] },
        {
          id: "b",
          prompt: [{ role: "user", content: "Ho" }],
          response: "x",
          variant: "v",
          tags: "s, t",
        },
        { id: "a", prompt: "Hi", response: "three", finish: "length", tokens: 7 },
      ]
        .map((row) => JSON.stringify(row))
        .join("\n"),
    );
    const rollouts = await rolloutsOf(path("i.jsonl.out.jsonl"));
    expect(rollouts.map(({ id, response }) => `${id} ${response}`)).toEqual([
      "a/base/0 one",
      "a/base/1 two",
      "b/v/0 x",
      "a/base/2 three",
    ]);
    expect(rollouts[3]).toMatchObject({ finish: "length", tokens: 7 });
    expect(rollouts[0]).toMatchObject({ finish: "unknown" });
    expect(rollouts[0]!.tokens).toBeUndefined();
    expect(readFileSync(path("i.jsonl.out.jsonl"), "utf8").split("\n")[0]).not.toContain("tokens");
    expect(rollouts.map(({ tags }) => tags)).toEqual([undefined, undefined, ["s", "t"], undefined]);
  });

  it("reads an end as servers say it, and leaves out what is no response, with its cause", async () => {
    const row = (more: object): string => JSON.stringify({ id: "a", prompt: "Hi", ...more });
    const words = [path("ends.jsonl"), "--out", path("ends.out.jsonl")];
    writeFileSync(
      path("ends.jsonl"),
      [
        row({ response: "one", finish: "eos" }),
        row({ response: "two", finish: "MAX_TOKENS", tokens: null }),
        row({ response: null }),
        row({ responses: ["three", null] }),
        row({ response: "", finish: "content_filter" }),
      ].join("\n"),
    );
    const warned: string[] = [];
    await runCommand("import", words, (line) => void warned.push(line));
    const rollouts = await rolloutsOf(path("ends.out.jsonl"));
    expect(rollouts.map(({ id, response, finish }) => [id, response, finish])).toEqual([
      ["a/base/0", "one", "stop"],
      ["a/base/1", "two", "length"],
      ["a/base/2", "three", "unknown"],
    ]);
    expect(warned).toEqual([
      "2 responses left out: no response; they are in no rate",
      "1 responses left out: answer filtered; they are in no rate",
    ]);
  });

  it.each([
    ['{"id":"a","prompt":"Hi"}', /row 0: expected either response or responses/],
    ['{"id":"a","prompt":"Hi","response":5}', /row 0: response: expected text/],
    [
      '{"id":"a","prompt":"Hi","response":"x"}\n{"id":"a","prompt":"Ho","response":"x"}',
      /row 1: its scenario and variant are those of a row with another prompt/,
    ],
    [
      '{"id":"a","prompt":"Hi","response":"x","finish":5}',
      /row 0: finish: expected text, got a number/,
    ],
    [
      '{"id":"a","prompt":"Hi","response":"x","responses":["y"]}',
      /row 0: expected either .* got both/,
    ],
    ['{"id":"a","prompt":"Hi","response":"x","tags":[1]}', /row 0: tags: expected a list of names/],
  ])("names the row that is wrong: %j", async (text, message) => {
    await expect(importing("bad.jsonl", text)).rejects.toThrow(message);
  });

  it("replaces neither rollouts nor their manifest, but with --force", async () => {
    const row = '{"id":"a","prompt":"Hi","response":"x"}';
    const manifest = path("m.jsonl.out.jsonl.json");
    writeFileSync(manifest, "{}");
    await expect(importing("m.jsonl", row)).rejects.toThrow(/m\.jsonl\.out\.jsonl\.json: exists/);
    const words = [path("m.jsonl"), "--out", path("m.jsonl.out.jsonl"), "--force"];
    expect(await runCommand("import", words)).toMatch(/: 1 rollouts imported$/);
    expect(existsSync(manifest)).toBe(false);
  });
});
