/** @file Endpoints that answer as real servers do where they differ from OpenAI's. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { createAsker } from "../src/endpoint/asker.ts";
import { openChatEndpoint } from "../src/endpoint/chat-endpoint.ts";
import { missingCauses } from "../src/judge/tally-verdicts.ts";
import { readVerdicts } from "../src/judge/verdict.ts";
import { readRollouts } from "../src/rollouts/rollouts.ts";
import { ConfigError, RuntimeError } from "../src/util/errors.ts";
import { collect } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { type FakeEndpointOptions, startFakeEndpoint } from "./support/fake-endpoint.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
let files = 0;
const newPath = (): string => join(folder, `${files++}.jsonl`);
const prompts = join(folder, "prompts.jsonl");
writeFileSync(
  prompts,
  ["a", "b", "c", "d"].map((id) => JSON.stringify({ id, prompt: `Ask ${id}` })).join("\n"),
);

interface Generated {
  readonly result: Readonly<Record<string, unknown>>;
  readonly warned: string;
  readonly out: string;
}

/** Three samples of each of the four prompts. */
async function generate(url: string, ...more: string[]): Promise<Generated> {
  const out = newPath();
  const warned: string[] = [];
  const words = [prompts, "--base-url", url, "--model", "m", "--rollouts", "3", "--out", out];
  const printed = await runCommand(
    "generate",
    [...words, ...more, "--json"],
    (line) => void warned.push(line),
  );
  return { result: JSON.parse(printed) as Generated["result"], warned: warned.join("\n"), out };
}

const seeded: FakeEndpointOptions["answer"] = ({ messages, seed, temperature }) =>
  `${messages[0]!.content} ${seed} ${temperature}`;

describe("what a server says when it refuses", () => {
  const saying = (status: number, body: unknown): ReturnType<typeof startFakeEndpoint> =>
    startFakeEndpoint({ refuse: () => ({ status, message: "", body }) });

  it("is told at the first refusal, once for each cause, and is in the error and the result", async () => {
    await using server = await saying(422, { detail: "prompt has a \u001b[2J word" });
    const notes: string[] = [];
    const asker = createAsker(openChatEndpoint({ baseUrl: server.url, model: "m" }), {
      note: (line) => void notes.push(line),
    });
    const request = { messages: [], maxTokens: 1, temperature: 0 };
    for (let i = 0; i < 2; i++) {
      await expect(
        asker.ask({ ...request, messages: [{ role: "user", content: "x" }] }, asker.allowance()),
      ).rejects.toThrow("refused (422)");
    }
    expect(notes).toEqual([
      `${server.url}: request refused (422); the endpoint says: prompt has a \ufffd[2J word`,
    ]);
    const error = await expectFailure(generate(server.url), RuntimeError);
    expect(error.hint).toMatch(/^The server's first words: prompt has a/);
  });

  it("is told where it comes under status 200 instead of an answer", async () => {
    await using server = await saying(200, { error: { message: "the model is loading, k-1" } });
    const notes: string[] = [];
    const asker = createAsker(
      openChatEndpoint({ baseUrl: server.url, model: "m", apiKey: "k-1" }),
      {
        attempts: 1,
        note: (line) => void notes.push(line),
      },
    );
    const messages = [{ role: "user", content: "x" }] as const;
    const request = { messages, maxTokens: 1, temperature: 0 };
    await expect(asker.ask(request, asker.allowance())).rejects.toThrow("no chat completion");
    expect(notes).toEqual([
      `${server.url}: answer is no chat completion; the endpoint says: the model is loading, \u2026`,
    ]);
  });

  it("ends the run after one request where the server holds another model", async () => {
    await using server = await saying(400, { detail: "Server is pinned to 'A'; requested 'B'." });
    const error = await expectFailure(generate(server.url, "--concurrency", "1"), ConfigError);
    expect(error.message).toMatch(/expected the model "m" .*no such model or address \(400\)/);
    expect(error.hint).toMatch(/The endpoint says: Server is pinned to 'A'; requested 'B'\.$/);
    expect(server.counts.requests).toBeLessThanOrEqual(2); // one may be on its way
  });

  it("stays in the manifest where other samples were answered", async () => {
    await using server = await startFakeEndpoint({
      answer: seeded,
      refuse: ({ messages }) =>
        messages[0]!.content === "Ask a" ? { status: 400, message: "no a" } : undefined,
    });
    const { out, result } = await generate(server.url, "--max-missing", "0.25");
    expect(result).toMatchObject({ rollouts: 9, said: { "request refused (400)": "no a" } });
    expect(JSON.parse(readFileSync(`${out}.json`, "utf8"))).toMatchObject({
      said: { "request refused (400)": "no a" },
    });
  });
});

describe("a field that a server does not take", () => {
  const without = (
    field: "seed" | "temperature" | "top_p",
    body: unknown,
  ): ReturnType<typeof startFakeEndpoint> =>
    startFakeEndpoint({
      answer: (asked, request) => `${asked.messages[0]!.content} ${request}`,
      refuse: (asked) => (field in asked ? { status: 422, message: "", body } : undefined),
    });

  it.each([
    ["seed", { detail: "Unexpected fields in the request: {'seed'}" }],
    ["seed", { detail: [{ loc: ["body", "seed"], msg: "Extra inputs are not permitted" }] }],
    ["top_p", { error: { message: "Unrecognized request argument supplied: top_p" } }],
    ["temperature", { error: { code: "unsupported_parameter", param: "temperature" } }],
  ] as const)("is left out from then on, and that is said: %s, %j", async (field, body) => {
    await using server = await without(field, body);
    const flags = ["--top-p", "0.9", "--concurrency", "1", "--attempts", "1"];
    const { result, warned } = await generate(server.url, ...flags);
    expect(result).toMatchObject({ rollouts: 12, requests: 13, leftOut: { [field]: 12 } });
    expect(warned).toMatch(`12 samples were asked for without ${field}, which the endpoint`);
    expect(server.counts.bodies.at(-1)).not.toHaveProperty(field);
    expect(Object.keys(server.counts.bodies.at(-1)!)).toContain("max_tokens");
  });

  it("is kept where another value of it is wanted, which is the user's to choose", async () => {
    const message =
      "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.";
    await using server = await startFakeEndpoint({
      refuse: ({ temperature }) => (temperature === 1 ? undefined : { status: 400, message }),
    });
    const error = await expectFailure(generate(server.url), RuntimeError);
    expect(error.hint).toContain("Only the default (1) value is supported");
    expect((await generate(server.url, "--temperature", "1")).result).toMatchObject({
      rollouts: 12,
    });
  });
});

describe("a finish reason", () => {
  it("of another server says whether an answer was cut; one that means nothing is no stop", async () => {
    const reasons = { a: "MAX_TOKENS", b: "eos_token", c: "repetition", d: "stop" };
    await using server = await startFakeEndpoint({
      choice: ({ messages }) => ({
        message: { content: "First you take the" },
        finish_reason: reasons[messages[0]!.content.slice(-1) as keyof typeof reasons],
      }),
    });
    const { out, result, warned } = await generate(server.url);
    const rollouts = await collect(readRollouts(out));
    const finishes = Object.fromEntries(rollouts.map(({ scenario, finish }) => [scenario, finish]));
    expect(finishes).toEqual({ a: "length", b: "stop", c: "unknown", d: "stop" });
    expect(result).toMatchObject({ cut: 3, unknownEnds: { repetition: 3 } });
    expect(warned).toContain(
      "3 samples ended for a reason that may mean whole or cut (repetition)",
    );
  });
});

describe("samples that are all the same", () => {
  const judge = async (file: string): Promise<string> => {
    const warned: string[] = [];
    const words = [file, "--rules", "compliance", "--out", newPath()];
    await runCommand("judge", words, (line) => void warned.push(line));
    return warned.join("\n");
  };

  it("at a temperature above 0 are a warning, when sampled and when judged", async () => {
    await using server = await startFakeEndpoint({
      answer: ({ messages }) => messages[0]!.content,
    });
    const { out, warned } = await generate(server.url, "--temperature", "0.7");
    const warning = "the samples of 4 of 4 prompts are all the same text at temperature 0.7";
    expect(warned).toContain(warning);
    expect(await judge(out)).toContain(warning);
  });

  it("are none at temperature 0, nor where one in ten differs", async () => {
    await using same = await startFakeEndpoint({ answer: ({ messages }) => messages[0]!.content });
    const { out, warned } = await generate(same.url, "--temperature", "0");
    expect([warned, await judge(out)]).toEqual(["", ""]);
    await using other = await startFakeEndpoint({
      answer: ({ messages, seed }) => (messages[0]!.content === "Ask a" ? `${seed}` : "x"),
    });
    expect((await generate(other.url, "--temperature", "0.7")).warned).toBe("");
  });
});

describe("thinking that the generation prompt opened", () => {
  /** The first sample of each prompt is cut within its thinking. */
  const thinking = (seed: number): { text: string; finish: string } =>
    seed % 3 === 0
      ? { text: "The user wants me to", finish: "length" }
      : { text: `Hm ${seed}.</think>\n\nYes, ${seed}.`, finish: "stop" };

  it("and the limit cut is missing, not an answer", async () => {
    await using server = await startFakeEndpoint({
      choice: ({ seed = 0 }) => {
        const { text, finish } = thinking(seed);
        return { message: { content: text }, finish_reason: finish };
      },
    });
    const { out } = await generate(server.url);
    const verdicts = newPath();
    await runCommand("judge", [out, "--rules", "compliance", "--out", verdicts]);
    expect(missingCauses(await readVerdicts(verdicts))).toEqual({
      "no response after the thinking": 4,
    });
  });

  describe("and that was cut in every sample", () => {
    const cut = async (...flags: string[]): Promise<{ causes: unknown; warned: string }> => {
      await using server = await startFakeEndpoint({
        choice: ({ seed = 0 }) => ({
          message: { content: `The user wants ${seed}` },
          finish_reason: "length",
        }),
      });
      const { out } = await generate(server.url);
      const [verdicts, warned] = [newPath(), [] as string[]];
      const words = [out, "--rules", "compliance", "--out", verdicts, ...flags];
      await runCommand("judge", words, (line) => void warned.push(line)).catch((error: unknown) => {
        if (!(error instanceof RuntimeError)) throw error;
      });
      return { causes: missingCauses(await readVerdicts(verdicts)), warned: warned.join("\n") };
    };

    it("is missing, since nothing shows that it is an answer", async () => {
      const { causes, warned } = await cut();
      expect(causes).toEqual({ "no response after the thinking": 12 });
      expect(warned).toContain("--thinking none judges them where the model does not think");
    });

    it("is judged where the user says that the model does not think", async () => {
      expect(await cut("--thinking", "none")).toEqual({ causes: {}, warned: "" });
    });

    it("is missing where the user says that it thinks", async () => {
      const { causes, warned } = await cut("--thinking", "opened");
      expect(causes).toEqual({ "no response after the thinking": 12 });
      expect(warned).not.toContain("--thinking");
    });
  });

  it("is not supposed where one answer speaks of the mark", async () => {
    await using server = await startFakeEndpoint({
      choice: ({ messages, seed = 0 }) => {
        const isAbout = messages[0]!.content === "Ask a" && seed === 1;
        return {
          message: { content: isAbout ? "The tag </think> ends it." : `Take the ${seed}` },
          finish_reason: seed === 1 ? "stop" : "length",
        };
      },
    });
    const { out } = await generate(server.url);
    const verdicts = newPath();
    await runCommand("judge", [out, "--rules", "compliance", "--out", verdicts]);
    expect(missingCauses(await readVerdicts(verdicts))).toEqual({});
  });
});

describe("answers that are missing", () => {
  const failing = (share: number): ReturnType<typeof startFakeEndpoint> => {
    let asked = 0;
    return startFakeEndpoint({
      answer: ({ seed = 0 }) => (seed >= 0 ? '{"score": 90}' : ""),
      refuse: () => (asked++ % 12 < share * 12 ? { status: 400, message: "no" } : undefined),
    });
  };

  it.each([
    [2, [], /^--max-missing: expected at most 10.0% of the answers missing, got 2 of 12$/],
    [
      1,
      ["--max-missing", "0"],
      /^--max-missing: expected at most 0.0% of the answers missing, got 1 of 12$/,
    ],
  ])("fail the run beyond their share: %d %j", async (missing, flags, message) => {
    await using server = await failing(missing / 12);
    const run = generate(server.url, "--concurrency", "1", ...flags);
    expect((await expectFailure(run, RuntimeError)).message).toMatch(message);
  });

  it.each([
    [1, []],
    [2, ["--max-missing", "0.2"]],
  ])("do not within it: %d %j", async (missing, flags) => {
    await using server = await failing(missing / 12);
    const { result } = await generate(server.url, "--concurrency", "1", ...flags);
    expect(result).toMatchObject({ rollouts: 12 - missing });
  });

  it("fail a judge's run too, and what it said is kept", async () => {
    await using whole = await failing(0);
    const { out } = await generate(whole.url);
    await using server = await startFakeEndpoint({
      refuse: ({ messages }) =>
        messages.at(-1)!.content.includes("Ask a") ? { status: 400, message: "not a" } : undefined,
    });
    const verdicts = newPath();
    const words = [out, "--rubric", "harm", "--base-url", server.url, "--model", "j"];
    const judging = (...more: string[]): Promise<string> =>
      runCommand("judge", [...words, "--out", verdicts, ...more]);
    const error = await expectFailure(judging(), RuntimeError);
    expect(error.message).toMatch(/^--max-missing: .* got 3 of 12$/);
    expect(missingCauses(await readVerdicts(verdicts))).toEqual({ "request refused (400)": 3 });
    const shown = await judging("--max-missing", "0.25", "--force");
    expect(shown).toContain("request refused (400); the endpoint says: not a");
  });
});
